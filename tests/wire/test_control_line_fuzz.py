"""Damaged messages on the control line, at risk's end and at execution's: dropped, never obeyed.

Real sockets and real loops. What cannot be decoded is logged; what still can be is what its
sender says, and is judged by the core like anything else: no damage may let trading begin,
move an epoch back, or end the process.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from bus.edge import Edge
from bus.endpoints import control_endpoint
from services.risk.core import RiskCore
from services.risk.messages import (
    ForgetProcess,
    KillProcess,
    Persist,
    StoredState,
    WatchProcess,
)
from shared.control import Lease, Ping, Pong, ScopeOrder
from shared.effects import ControlReceived, Effect, HttpRequest, Message
from shared.identifiers import Incarnation
from shared.operator import OperatorReply
from shared.topics import COMPONENTS, EXECUTION, RISK, STATE
from shared.units import BootNs, Instant
from tests.builders.bus_rig import Rig, Scripted, rig
from tests.builders.risk import World
from tests.builders.risk_parts import config

MESSAGES = int(os.environ.get("INTERLOCK_FUZZ_MESSAGES", "10000"))
BURST = 200
SEED = 20_261_121


class Nowhere(Edge):
    """Takes everything that risk wants done and does none of it."""

    handles = (Persist, HttpRequest, KillProcess, WatchProcess, ForgetProcess, OperatorReply)

    def __init__(self) -> None:
        self.kills = 0

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        self.kills += isinstance(effect, KillProcess)
        return []


def damaged(chance: random.Random, body: bytes) -> bytes:
    """Return a message with a few of its bytes changed, taken out or put in."""
    found = bytearray(body)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(4):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del found[at : at + chance.randint(1, 30)]
            case 2:
                found[at:at] = chance.randbytes(chance.randint(1, 12))
            case _:
                found[at:at] = chance.choice((b"\xcf" + b"\xff" * 8, b"\x91" * 2_000, b"\xc0"))
    return bytes(found)


@pytest.fixture
def bus() -> Iterator[Rig]:
    with rig() as made:
        yield made


class Peers:
    """Sockets of the test at the other end of a control line."""

    def __init__(self, directory: Path) -> None:
        self._endpoint = control_endpoint(str(directory))
        self._context: zmq.Context[Any] = zmq.Context()
        self._sockets: list[zmq.Socket[bytes]] = []

    def dealer(self, name: str) -> zmq.Socket[bytes]:
        """Connect to risk's end under a name."""
        made = self._socket(zmq.DEALER)
        made.setsockopt(zmq.ROUTING_ID, name.encode())
        made.connect(self._endpoint)
        return made

    def router(self) -> zmq.Socket[bytes]:
        """Stand where risk stands."""
        made = self._socket(zmq.ROUTER)
        made.bind(self._endpoint)
        return made

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = self._context.socket(kind)
        made.setsockopt(zmq.LINGER, 0)
        self._sockets.append(made)
        return made

    def close(self) -> None:
        """Close everything."""
        for one in self._sockets:
            one.close()
        self._context.term()


@pytest.fixture
def peers(bus: Rig) -> Iterator[Peers]:
    made = Peers(bus.directory)
    yield made
    made.close()


@pytest.mark.req("CP-7")
def test_damaged_pongs_end_no_risk_and_let_nothing_trade(bus: Rig, peers: Peers) -> None:
    """From every component's name, a stranger's and one that is no name at all."""
    now = World().now
    core = RiskCore(config(), Incarnation(77), StoredState(used_max=9, reserved=1_009), now, ())
    bus.add(RISK, core, (Nowhere(),))
    world = World()
    bodies = [msgspec.msgpack.encode(world.pong(one, None)) for one in COMPONENTS if one != RISK]
    names = [f"{one}:{world.pong(one, None).incarnation}" for one in COMPONENTS if one != RISK]
    names += ["stranger:1", "execution:٣", "\x01", "execution:"]
    dealers = [peers.dealer(name) for name in names]
    chance = random.Random(SEED)
    descriptors: set[int] = set()
    sent = 0
    epoch = core._guard.authority.epochs.current
    while sent < MESSAGES:
        for _ in range(BURST):
            body = damaged(chance, chance.choice(bodies))
            frames = [body] * chance.randint(1, 2)
            chance.choice(dealers).send_multipart(frames)
        sent += BURST
        for _ in range(3):
            bus.loops[RISK].turn()
        authority = core._guard.authority
        assert bus.loops[RISK].status is None
        assert not authority.trading
        assert authority.epochs.current >= epoch
        assert {row.name for row in authority.latches.rows()} <= {
            "risk_database",
            "reconciliation_mismatch",
            "restricted",
        }
        epoch = authority.epochs.current
        if sent > MESSAGES // 2:  # every peer has connected by then
            descriptors.add(len(os.listdir("/proc/self/fd")))
    refused = (bus.directory / f"{RISK}.log").read_bytes().count(b"control.corrupt")
    assert refused > MESSAGES // 4
    assert max(descriptors) - min(descriptors) <= 1


def _ping(chance: random.Random) -> Ping:
    lease = Lease(Incarnation(chance.randrange(9)), BootNs(5), 400, 3, "ACTIVE")
    scope = ScopeOrder("asset", "btc", 2, "PAUSED", "x")
    return Ping(
        risk_incarnation=Incarnation(7),
        ping_id=chance.randrange(1_000),
        sent_ns=BootNs(11),
        epoch=3,
        fence_id=0,
        fence_reason="",
        trading_state="ACTIVE",
        reasons=("x",),
        scopes=(scope,),
        switch_version=2,
        lease=lease,
    )


@pytest.mark.req("CP-7")
def test_damaged_pings_end_no_component_and_only_whole_ones_are_heard(
    bus: Rig, peers: Peers
) -> None:
    """Whatever is handed to the core has the whole shape of a ping."""
    router = peers.router()
    heard = Scripted()
    bus.add(EXECUTION, heard)
    loop = bus.loops[EXECUTION]
    poller = zmq.Poller()
    poller.register(router, zmq.POLLIN)
    bus.turn_until(lambda: bool(poller.poll(1)))
    identity = router.recv_multipart()[0]
    chance = random.Random(SEED)
    sent = 0
    while sent < MESSAGES:
        for _ in range(BURST):
            body = damaged(chance, msgspec.msgpack.encode(_ping(chance)))
            router.send_multipart([identity, body])
        sent += BURST
        for _ in range(3):
            loop.turn()
        while router.poll(0):
            msgspec.msgpack.decode(router.recv_multipart()[-1], type=Pong)
        assert loop.status is None
    pings = [one.body for one in heard.of(ControlReceived)]
    assert all(isinstance(ping, Ping) for ping in pings)
    assert len(pings) < sent // 2


def test_line_that_is_damaged_is_written_down(bus: Rig, peers: Peers) -> None:
    core = RiskCore(config(), Incarnation(77), StoredState(), World().now, ())
    bus.add(RISK, core, (Nowhere(),))
    sender = peers.dealer(f"{STATE}:5")
    log = Path(bus.directory / f"{RISK}.log")

    def logged() -> bool:
        sender.send(b"\xff")
        return b"control.corrupt" in log.read_bytes()

    bus.turn_until(logged)

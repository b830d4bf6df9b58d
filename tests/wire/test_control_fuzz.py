"""Thousands of broken requests at the operator's socket: answered, written down, nothing harmed.

A real socket and risk's real core, with the clock of a world that the test moves. Lines are
made from the schema of the requests, from JSON of any shape, and from requests whose bytes were
damaged; none of them may stop, start, latch or clear anything.
"""

import gc
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus import clock
from bus.control_socket import LINES_MAX, ControlSocketEdge
from services.risk.audit_budget import SUM_EVERY_NS
from services.risk.messages import Persist
from services.risk.operation import READS_BURST, READS_EVERY_NS
from shared.operator import (
    Capital,
    Disable,
    Drill,
    Enable,
    Flatten,
    Halt,
    LatchName,
    OperatorReply,
    PaperRun,
    Ramp,
    Ramped,
    Request,
    RequestRefused,
    Reset,
    Resume,
    Status,
    Switches,
    decode_reply,
    decode_request,
    encode_request,
)
from shared.risk_schema import AuditRow
from shared.units import NS_PER_MS
from tests.builders.bus_rig import run_directory
from tests.builders.raw_server import pump
from tests.builders.risk import World

REQUESTS = int(os.environ.get("INTERLOCK_FUZZ_REQUESTS", "10000"))
SEED = 20_261_121
MEMORY_PIECES_MAX = 20_000
"""Objects that may be left over: caches of the interpreter and of the test's own tools."""

PIECES = (b"\\ud800", b"[" * 200, b'"', b"\x00", b"\xff", b"1e999", b"{}", b"\xed\xa0\x80")

TEXT = st.text(max_size=40)
SCOPES = st.sampled_from(("account", "asset", "market", "token", "strategy", "galaxy", ""))
LATCH_NAMES: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    name=TEXT | st.sampled_from(("operator_halt", "panic", "strategy_disabled")),
    scope=SCOPES,
    scope_id=TEXT | st.just("market_making"),
    version=st.integers(-(2**70), 2**70) | st.floats() | TEXT,
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
FIELDS = {
    "type": st.sampled_from(
        ("halt", "resume", "flatten", "disable", "enable", "reset", "drill", "ramp", "capital")
    )
    | TEXT,
    "scope": SCOPES | ANY_JSON,
    "scope_id": TEXT | ANY_JSON,
    "strategy": st.sampled_from(("market_making", "nobody")) | ANY_JSON,
    "reason": TEXT | ANY_JSON,
    "version": st.integers() | ANY_JSON,
    "latches": st.lists(LATCH_NAMES, max_size=3) | ANY_JSON,
    "usd": st.sampled_from((50, 100, 500, 0, -1, 10**30)) | ANY_JSON,
    "paper": ANY_JSON,
    "really": ANY_JSON,
}
SHAPED = st.fixed_dictionaries({}, optional=FIELDS)
LATCH = LatchName("operator_halt", "account", "", 7)
VALID: tuple[Request, ...] = (
    Halt(reason="x"),
    Halt(scope="asset", scope_id="btc", reason="x"),
    Flatten(scope="strategy", scope_id="caretaker", reason="x"),
    Resume(latches=(LATCH,), reason="x"),
    Reset(strategy="market_making", latches=(LATCH,), reason="x"),
    Enable(strategy="market_making", version=3, reason="x"),
    Disable(strategy="market_making", reason="x"),
    Ramp(usd=100, reason="x", paper=PaperRun(1, 1, "0" * 64, 0)),
    Drill(reason="x"),
    Capital(),
    Status(),
    Switches(),
)


def changes_something(line: bytes) -> bool:
    """Tell whether a line is a request that rightly changes a group that trades."""
    decoded = decode_request(line)
    if isinstance(decoded, Halt | Flatten | Disable | Drill):
        return True
    return isinstance(decoded, Ramp) and decoded.usd == 50


def damaged(chance: random.Random) -> bytes:
    """Return a request with some of its bytes changed, taken out, doubled or put in."""
    line = bytearray(encode_request(chance.choice(VALID)))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(line) + 1)
        match chance.randrange(5):
            case 0:
                line[at:at] = bytes([chance.randrange(256)])
            case 1:
                del line[at : at + chance.randint(1, 8)]
            case 2:
                line[at:at] = line[at : at + chance.randint(1, 20)]
            case 3:
                line[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                line[at:at] = chance.choice(
                    (b"\\ud800", b"[" * 200, b'"', b"\x00", b"\xff", b"1e999")
                )
    return bytes(line).replace(b"\n", b" ")


class Rig:
    """Risk's core behind its real socket."""

    def __init__(self, directory: Path) -> None:
        self.world = World()
        self.world.trade()
        self.edge = ControlSocketEdge(directory / "operator.sock")
        self.path = directory / "operator.sock"
        self.before = self.facts()

    def facts(self) -> tuple[object, ...]:
        """Return everything that no broken request may change."""
        guard = self.world.core._guard
        authority = guard.authority
        return (
            authority.trading,
            authority.state(),
            authority.epochs.current,
            authority.latches.rows(),
            authority.latches.version,
            authority.scopes.orders(),
            guard.capital_usd,
            guard.stopping_ns,
        )

    def ask(self, lines: list[bytes], cut: int) -> list[object]:
        """Send lines over one connection, cut anywhere, and return every answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
            asker.connect(str(self.path))
            sent = b"".join(line + b"\n" for line in lines)
            asker.sendall(sent[:cut])
            answers = self._serve(0) if cut else 0
            asker.sendall(sent[cut:])
            self._serve(len(lines) - answers)
            asker.setblocking(False)
            received = b""
            while received.count(b"\n") < len(lines):
                received += asker.recv(1 << 20)
        pump(self.edge, lambda _: not self.edge._askers)
        return [decode_reply(line) for line in received.splitlines()]

    def _serve(self, count: int) -> int:
        """Let risk answer what arrives, and at least so many lines; return how many."""
        answered = 0
        pending = pump(self.edge, lambda heard: len(heard) >= count)
        for message in pending:
            effects = self.world.core.on_message(message, self.world.now)
            for effect in effects:
                if isinstance(effect, OperatorReply):
                    answered += 1
                    self.edge.apply(effect, clock.read())
            self.world.take([one for one in effects if not isinstance(one, OperatorReply)])
        return answered

    def rest(self) -> None:
        """Let a tenth of a second pass, and forget what was noted for no test."""
        self.world.run(100)
        self.world.effects.clear()


@pytest.fixture
def served() -> Iterator[Rig]:
    with run_directory() as directory:
        rig = Rig(directory)
        yield rig
        rig.edge.close()


@pytest.mark.req("OP-2")
def test_ten_thousand_damaged_requests_change_nothing(served: Rig) -> None:
    """Each is answered in its order; descriptors, objects and the trail stay bounded."""
    chance = random.Random(SEED)
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    asked = refused = written = 0
    began_ms = served.world.ms
    pieces = 0
    while asked < REQUESTS:
        lines = [line for _ in range(LINES_MAX) if not changes_something(line := damaged(chance))]
        answers = served.ask(lines, chance.randrange(40))
        assert len(answers) == len(lines)
        refused += sum(isinstance(one, RequestRefused) for one in answers)
        assert not any(isinstance(one, Ramped) for one in answers)
        asked += len(lines)
        written += sum(
            isinstance(record, AuditRow) and record.entry.kind == "operator"
            for write in served.world.of(Persist)
            for record in write.records
        )
        served.rest()
        if not pieces and asked >= REQUESTS // 5:
            gc.collect()
            pieces = len(gc.get_objects())
    assert served.facts() == served.before
    assert refused > asked // 2
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert not served.edge._askers
    lasted_ns = (served.world.ms - began_ms) * NS_PER_MS
    assert written <= 2 * READS_BURST + lasted_ns / READS_EVERY_NS + lasted_ns / SUM_EVERY_NS + 110
    gc.collect()
    assert len(gc.get_objects()) < pieces + MEMORY_PIECES_MAX


@pytest.mark.req("OP-2")
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(SHAPED | ANY_JSON, min_size=1, max_size=LINES_MAX), st.integers(0, 30))
def test_requests_of_any_shape_are_answered_and_change_nothing(
    served: Rig, shapes: list[object], cut: int
) -> None:
    lines = []
    for shape in shapes:
        line = msgspec.json.encode(shape)
        if not changes_something(line):
            lines.append(line)
    answers = served.ask(lines, cut)
    assert len(answers) == len(lines)
    served.rest()
    assert served.facts() == served.before

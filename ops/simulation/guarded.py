"""Execution and risk: their real cores around a simulated gateway, disk, kernel and desk.

The gateway really signs and asks the real `may_send` directly before the write, with a
fresh reading of the clock; the ledger is the real one; risk's database is written beside
its loop, later, and what was not written when risk dies is lost.
"""

from collections.abc import Sequence

from coincurve import PrivateKey

from bus.edge import CommitFailed, Edge
from bus.http import BeforeWrite, Lane
from ops.simulation.lanes import Lanes
from ops.simulation.process import Process
from ops.simulation.world import Inbox, World
from services.execution.may_send import Permit, PlaceOrder
from services.risk.messages import (
    BeatPermit,
    ForgetProcess,
    KillProcess,
    ProcessExited,
    WatchProcess,
)
from shared.effects import Durable, Effect, HttpRequest, Message, Peer
from shared.operator import OperatorReply
from shared.units import Instant
from shared.venue.order_hash import order_digest
from shared.venue.orders_wire import ORDER_PATH, PostOrder, to_signed_order
from shared.venue.wire import encode


class ExecutionWatcher:
    """Leads every write of execution to the checkers."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._incarnation = process.peer.incarnation

    def written(self, who: str, request: HttpRequest, now: Instant) -> None:
        """Judge posts, follow cancels."""
        permit = request.permit
        if isinstance(permit, Permit):
            self._world.watch.posted(self._incarnation, permit.order_id, permit.epoch, now)
        elif request.lane == "cancel":
            self._world.watch.canceled(self._world.scheduler.now_ns, request)


class SimulatedGateway(Lanes):
    """Execution's lanes: signs a post when it is applied, checks it when it is written."""

    handles = (*Lanes.handles, PlaceOrder)

    def __init__(
        self, world: World, process: Process, lanes: Sequence[Lane], before_write: BeforeWrite
    ) -> None:
        super().__init__(
            process.component,
            world.scheduler,
            world.chance("lanes", str(process.peer.incarnation)),
            world.rates,
            world.trace,
            world.venue,
            ExecutionWatcher(world, process),
            process.wake,
            before_write,
            lanes,
            world.credentials,
        )
        self._key = PrivateKey(bytes.fromhex(world.key.removeprefix("0x")))
        self._owner = world.credentials.api_key

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Sign and queue a post; everything else is a plain request."""
        if isinstance(effect, PlaceOrder):
            self.send(self._sign(effect))
            return []
        return super().apply(effect, now)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for a post whose turn was not journaled."""
        if isinstance(effect, PlaceOrder):
            return super().withhold(self._sign(effect), now)
        return super().withhold(effect, now)

    def _sign(self, place: PlaceOrder) -> HttpRequest:
        digest = order_digest(place.order, place.domain)
        raw = self._key.sign_recoverable(digest, hasher=None)
        signature = "0x" + raw[:64].hex() + f"{raw[64] + 27:02x}"
        body = PostOrder(
            order=to_signed_order(place.order, place.expiration_s, signature),
            owner=self._owner,
            order_type="GTD",
            post_only=place.post_only,
        )
        return HttpRequest(
            place.request_id,
            "post",
            "POST",
            ORDER_PATH,
            encode(body),
            place.deadline_ns,
            permit=place.permit,
        )


class FailingDisk(Edge):
    """A ledger whose commit fails while the world says so."""

    def __init__(self, world: World, ledger: Edge) -> None:
        self.handles = ledger.handles
        self._world = world
        self._ledger = ledger

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand records on."""
        assert isinstance(effect, Durable)
        return self._ledger.apply(effect, now)

    def commit(self, now: Instant) -> None:
        """Commit, or fail.

        Raises:
            CommitFailed: The disk does not take it.
        """
        if self._world.scheduler.now_ns < self._world.disk_fails_until_ns:
            self._world.trace.note(self._world.scheduler.now_ns, "disk", "fails")
            raise CommitFailed("simulated")
        self._ledger.commit(now)

    def on_tick(self, now: Instant) -> list[Message]:
        """Let the ledger do its upkeep."""
        return self._ledger.on_tick(now)

    def close(self) -> None:
        """Close the file: what was not committed is gone."""
        self._ledger.close()


class SimulatedKernel(Edge):
    """Risk's pidfds: exits are seen at once, kills hit exactly one incarnation."""

    handles: tuple[type[Effect], ...] = (WatchProcess, KillProcess, ForgetProcess)

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._inbox = Inbox(process.wake)
        self._watched: dict[Peer, None] = {}
        world.exit_watchers.append(self._exited)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Watch, kill or forget."""
        match effect:
            case WatchProcess(component=component, incarnation=incarnation):
                peer = Peer(component, incarnation)
                if self._world.runs(peer):
                    self._watched[peer] = None
                    return []
                return [ProcessExited(component, incarnation)]
            case KillProcess(component=component, incarnation=incarnation):
                peer = Peer(component, incarnation)
                if peer in self._watched:
                    self._world.kill(peer, "killed by risk")
            case ForgetProcess(component=component, incarnation=incarnation):
                self._watched.pop(Peer(component, incarnation), None)
            case _:
                raise AssertionError(f"not of this edge: {effect}")
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell of exits."""
        return self._inbox.take()

    def close(self) -> None:
        """Watch nothing any more."""
        self._world.exit_watchers.remove(self._exited)

    def _exited(self, peer: Peer) -> None:
        if self._watched.pop(peer, None) is None and peer not in self._watched:
            return
        self._inbox.put(ProcessExited(peer.component, peer.incarnation))


class SimulatedDesk(Edge):
    """The control socket's server: replies go to the operator of the run."""

    handles: tuple[type[Effect], ...] = (OperatorReply,)

    def __init__(self, world: World) -> None:
        self._world = world

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a reply over."""
        assert isinstance(effect, OperatorReply)
        self._world.operator(effect.connection, effect.body)
        return []

    def close(self) -> None:
        """Nothing to let go of."""


def check_beat(request: HttpRequest, now: Instant) -> str | None:
    """Drop a beat whose permit is over: one that risk's loop has not just decided is not sent."""
    permit = request.permit
    if isinstance(permit, BeatPermit) and now.boot_ns > permit.not_after_ns:
        return "too_late"
    return None

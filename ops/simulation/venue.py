"""The venue of a simulation: the simulator's real core, reached without sockets.

Turns requests and frames into the core's messages and its effects into answers and frames.
It also tells the checkers what the venue truly holds of ours.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

import msgspec

from ops.simulation.lanes import Answer
from ops.simulation.perps import PERP_FAULTS, perp_orders
from ops.simulation.scheduler import Scheduler
from ops.simulation.streams import Frame
from ops.simulation.trace import Trace
from ops.simulation.venue_faults import orders_of
from services.simulator.core import SimulatorCore
from services.simulator.edge import (
    Abort,
    Close,
    Push,
    Record,
    Request,
    Respond,
    StreamClosed,
    StreamKind,
    StreamOpened,
    StreamText,
)
from services.simulator.faults.orders import FaultOrder
from services.simulator.oracles.oracle import Tick
from shared.effects import Effect, HttpRequest, Message
from shared.identifiers import Asset, OrderHash
from shared.perps.wire import PERP_STREAM_PATH
from shared.units import NS_PER_MS, Instant
from shared.venue.auth import Credentials

KINDS: dict[str, StreamKind] = {
    "/ws/market": "market",
    "/ws/user": "user",
    "/ws": "price",
    "/rtds": "rtds",
    PERP_STREAM_PATH: "perp",
}
"""Which stream a path is, as the simulator's servers have it."""

ORDERS_PATH = "/data/orders"
OK = 200


class OrderLine(msgspec.Struct, frozen=True):
    """What is read of a record of the venue's log; records of other kinds lack most of it."""

    kind: str
    wall_ns: int = 0
    order_id: str = ""
    owner: str = ""
    trade_id: str = ""
    role: str = ""


ORDER_LINE = msgspec.json.Decoder(OrderLine)


class SimulatedVenue:
    """The core, its clock, and who waits for what.

    Attributes:
        core: The venue's decisions and state.
        frames: Frames sent on market streams.
        changed: Called after every turn of the core.
        logged: Given each record of its log.
        filled: Told of each part that we have in a trade, as it is matched, and of its role.
        wallet: Address that holds our money, lower case.
    """

    def __init__(
        self,
        core: SimulatorCore,
        who: Credentials,
        scheduler: Scheduler,
        trace: Trace,
        resolution_ms: int,
    ) -> None:
        """Begin; the core takes its first turn at once.

        Args:
            core: The venue.
            who: Whose orders and money are ours.
            scheduler: Time.
            trace: Where requests and frames are noted.
            resolution_ms: From the end of a market to its resolution.
        """
        self.wallet = who.address.lower()
        self.core = core
        self.frames = 0
        self.changed: Callable[[], None] = lambda: None
        self.logged: Callable[[bytes], None] = lambda line: None
        self.filled: Callable[[str, OrderHash, str], None] = lambda trade_id, order_id, role: None
        self._api_key = who.api_key
        self._changed_wall_ns: dict[str, int] = {}
        self._resolution_ms = resolution_ms
        self._scheduler = scheduler
        self._trace = trace
        self._answers: dict[int, Answer] = {}
        self._streams: dict[int, tuple[StreamKind, Frame]] = {}
        self._numbers = 0
        self._due_ns: int | None = None
        self._list_sent_ns = 0
        self._is_busy = False
        self._waiting: list[Message] = []
        scheduler.at(scheduler.now_ns, self._tick)

    # --- requests (`ops.simulation.lanes.Venue`) --------------------------------------

    def request(self, request: HttpRequest, headers: Mapping[str, str], answer: Answer) -> None:
        """Take a request in at the present moment."""
        self._numbers += 1
        parts = urlsplit(request.path)
        if parts.path == ORDERS_PATH and request.method == "GET":
            answer = self._note_list(answer)
        self._answers[self._numbers] = answer
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._take(Request(self._numbers, request.method, parts.path, query, headers, request.body))

    def _note_list(self, answer: Answer) -> Answer:
        """Note when a whole list of open orders is sent."""

        def noted(status: int, headers: dict[str, str], body: bytes) -> None:
            if status == OK and body.startswith(b"{") and body.endswith(b"}"):
                self._list_sent_ns = self.clock_ns()
            answer(status, headers, body)

        return noted

    def refuse(self, mode: str, lasts_ns: int) -> None:
        """Let the venue refuse for a while: `429` for posts, or a trading mode by its status."""
        duration_ms = lasts_ns // NS_PER_MS
        match mode:
            case "425":
                order = FaultOrder("restarting", duration_ms=duration_ms)
            case "503":
                order = FaultOrder("disabled", duration_ms=duration_ms)
            case _:
                order = FaultOrder(
                    "refuse",
                    method="POST",
                    path="/order",
                    duration_ms=duration_ms,
                    status=429,
                    text="Too Many Requests",
                    retry_after_s=1,
                )
        self._order("/admin/faults", order)

    def switch_on(self, entry: str, lasts_ns: int) -> None:
        """Switch an entry of the catalogue of faults on for a while."""
        wish = {"entry": entry, "duration_ms": lasts_ns // NS_PER_MS}
        self._order("/admin/faults", wish)

    def strike(self, name: str, lasts_ns: int) -> None:
        """Let one of `venue_faults` strike for a while."""
        orders = perp_orders if name in PERP_FAULTS else orders_of
        for order in orders(name, lasts_ns):
            self._order("/admin/faults", order)

    def fail_settlements(self, count: int) -> None:
        """Let the next trades fail on the chain after they were matched."""
        self._order("/admin/faults", FaultOrder("fail_settlement", count=count))

    def still(self) -> None:
        """Let all other traders stand still from now on."""
        self._order("/admin/participants", {"paused": True})

    def _order(self, path: str, order: object) -> None:
        self._numbers += 1
        self._answers[self._numbers] = _ignore
        self._take(Request(self._numbers, "POST", path, {}, {}, msgspec.json.encode(order)))

    # --- streams (`ops.simulation.streams.StreamVenue`) --------------------------------

    def stream_opened(self, url: str, send: Frame) -> int:
        """Open a connection; return its number."""
        self._numbers += 1
        kind = KINDS[urlsplit(url).path]
        self._streams[self._numbers] = (kind, send)
        self._take(StreamOpened(self._numbers, kind))
        return self._numbers

    def stream_text(self, connection: int, text: str) -> None:
        """Take one frame of a client in."""
        if connection in self._streams:
            self._take(StreamText(connection, text))

    def stream_closed(self, connection: int) -> None:
        """Learn that a connection is gone."""
        if self._streams.pop(connection, None) is not None:
            self._take(StreamClosed(connection))

    # --- truth (`ops.simulation.checkers.VenueTruth`) ----------------------------------

    def open_ids(self) -> list[OrderHash]:
        """Return our open orders, oldest first."""
        return [OrderHash(name) for name in self.core.exchange.open.get(self._api_key, ())]

    def filled_e6(self, order_id: OrderHash) -> int | None:
        """Return how much of an order was matched, None when it was never taken."""
        order = self.core.exchange.orders.get(order_id)
        return None if order is None else order.filled

    def oracle_ticks(self, asset: Asset, from_ms: int, until_ms: int) -> list[Tick]:
        """Return the oracle's ticks of an asset between two stamps, oldest first."""
        found: list[Tick] = []
        for tick in reversed(self.core.exchange.oracles[asset].history):
            if tick.at_ms < from_ms:
                break
            if tick.at_ms < until_ms:
                found.append(tick)
        return found[::-1]

    def _note(self, line: bytes) -> None:
        record = ORDER_LINE.decode(line)
        if record.kind == "order":
            self._changed_wall_ns[record.order_id] = record.wall_ns
        elif record.kind == "fill" and record.owner == self._api_key:
            self.filled(record.trade_id, OrderHash(record.order_id), record.role)

    def changed_wall_ns(self, order_id: OrderHash) -> int:
        """Return when the venue last did something to an order, 0 for one it never took."""
        return self._changed_wall_ns.get(order_id, 0)

    def hold_in(self, wallet: str) -> None:
        """Look for our money at an address; an empty one means that of the key."""
        self.wallet = wallet.lower() or self.wallet

    def balance_e6(self, token: str) -> int:
        """Return the shares of a token that have arrived in our account."""
        return self.core.exchange.accounts.get(self.wallet).balance(token)

    def holdings(self) -> dict[str, int]:
        """Return the shares of every token in our account; not to be changed."""
        return self.core.exchange.accounts.get(self.wallet).tokens

    def free_e6(self, token: str) -> int:
        """Return the shares of a token that no open order of ours offers."""
        return self.core.exchange.accounts.get(self.wallet).free(token)

    def list_sent_ns(self) -> int:
        """Return when the newest whole list of open orders was sent, 0 before the first."""
        return self._list_sent_ns

    def clock_ns(self) -> int:
        """Return what CLOCK_MONOTONIC shows now."""
        return self._scheduler.instant().monotonic_ns

    def resolved_ms(self, token: str) -> int | None:
        """Return when the market of a token was resolved, None while it is not.

        A market that the venue has forgotten was resolved long ago: 0.
        """
        market = self.core.exchange.calendar.by_token.get(token)
        if market is None:
            return 0
        if market.state != "RESOLVED":
            return None
        return market.end_ms + self._resolution_ms

    # --- turns ------------------------------------------------------------------------

    def _tick(self) -> None:
        self._due_ns = None
        self._turn(lambda now: self.core.on_tick(now))

    def _take(self, message: Message) -> None:
        # A stream that its client closes while it is told something comes back in here.
        self._waiting.append(message)
        if self._is_busy:
            return
        while self._waiting:
            first = self._waiting.pop(0)
            self._turn(lambda now, first=first: self.core.on_message(first, now))  # type: ignore[misc]

    def _turn(self, decide: Callable[[Instant], list[Effect]]) -> None:
        self._is_busy = True
        now = self._scheduler.instant()
        for effect in decide(now):
            self._apply(effect)
        self._is_busy = False
        self.changed()
        due_ns = self._scheduler.moment_of_monotonic(self.core.next_ns())
        due_ns = max(due_ns, self._scheduler.now_ns + NS_PER_MS)
        if self._due_ns is None or due_ns < self._due_ns:
            self._due_ns = due_ns
            self._scheduler.at(due_ns, lambda: self._tick_if(due_ns))

    def _tick_if(self, due_ns: int) -> None:
        if self._due_ns == due_ns:
            self._tick()

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Respond():
                answer = self._answers.pop(effect.request_id)
                headers = {name.lower(): value for name, value in effect.headers.items()}
                answer(effect.status, headers, effect.body)
            case Abort():
                self._answers.pop(effect.request_id)(0, {}, b"")
            case Push():
                self._push(effect)
            case Record():
                self._note(effect.line)
                self.logged(effect.line)
            case Close():
                stream = self._streams.pop(effect.connection, None)
                if stream is not None:
                    stream[1](None)
            case _:
                return

    def _push(self, push: Push) -> None:
        stream = self._streams.get(push.connection)
        if stream is None:
            return
        kind, send = stream
        if kind == "market":
            self.frames += 1
        self._trace.note(self._scheduler.now_ns, "venue", f"frame.{kind}", push.text)
        send(push.text)


def _ignore(status: int, headers: dict[str, str], body: bytes) -> None:
    assert status == OK, body

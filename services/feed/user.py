"""The user feed: our own orders and trades over the authenticated socket, nothing lost.

Publishes each event as it comes. The stream tells nothing of the time when it was not
connected, so after each connection all open orders and the trades of that time are read by
REST, and what they tell that was not told is published too; readers count a fact once by its
ids. A frame that cannot be understood is such a gap too: what it told is read. Evidence is an
event, or a REST read whose open orders are exactly those that the stream has told.

Source: https://docs.polymarket.com/trading/realtime-order-updates (2026-09-28): streams do
not replay and do not replace authoritative reads.
"""

from typing import Literal
from urllib.parse import quote

import msgspec

from services.feed.connection import Connection
from services.feed.connection_rules import DATA_IDLE_NS, PING_EVERY_NS, ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.messages import CredentialsFound
from services.feed.own_orders import OwnOrders
from services.feed.report import FUTURE, READ, FeedReport
from services.feed.requests import Reads
from services.feed.told_trades import ToldTrades
from shared.config import Config
from shared.effects import (
    Effect,
    Exit,
    HttpFailed,
    HttpReply,
    Log,
    Message,
    Publish,
    ReachTold,
    Stop,
    StreamClosed,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import OwnOrder, UserEvent
from shared.topics import FEED_USER
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.account_wire import (
    CURSOR_END,
    CURSOR_FIRST,
    OPEN_ORDERS,
    OPEN_ORDERS_PATH,
    TRADES,
    TRADES_PATH,
)
from shared.venue.auth import Credentials
from shared.venue.faults import WireFault
from shared.venue.parse_user import rest_order, rest_trade, user_event
from shared.venue.streams_wire import (
    PING,
    StreamAuth,
    UnknownFrame,
    UserFrame,
    UserSubscription,
    decode_user_frames,
    is_pong,
)
from shared.venue.wire import decode, encode

KEY = "orders"
"""Key of the evidence."""

WITNESS_EVERY_NS = NS_PER_S
LISTS_MAX = 3
"""Lists of open orders under way at once: a lost answer is missed only after two seconds, and
evidence that waited for it would be older than its limit when the next one is asked for."""

GAP_MARGIN_S = 600
"""Trades are asked for from so long before the stream was last good: a trade matched before a gap
may have been mined or failed in it."""

SECOND_LOOK_NS = 5 * NS_PER_S
"""Trades are read once more so long after a connection's first list: nobody says when the venue
begins to tell what it was asked to, and the first list may have been answered before that."""

CURSOR_CHARS_MAX = 256
"""The venue's cursors are base64 of a small number."""

FUTURE_MS_MAX = 5_000
"""A stamp farther ahead than this is refused."""

PAGES_MAX = 20
"""Pages of 100 rows in one read: above every limit of open orders that the configuration takes."""


class _Page(msgspec.Struct, frozen=True):
    """What a read is for.

    Attributes:
        asked_ns: When the first page of the list was asked for.
        rows: What the pages before held; trades are published page by page instead.
        first: Whether it is the first list of this connection, which begins the comparison.
    """

    path: str
    asked_ns: MonotonicNs
    number: int
    first: bool
    rows: tuple[OwnOrder, ...] = ()


class UserFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Wait for credentials; then connect.

        Args:
            config: Socket and deadlines.
            seed: Of the jitter.
        """
        rules = ConnectionRules(
            "user",
            config.venue.user_socket_url,
            PING,
            PING_EVERY_NS,
            alternatives=config.venue.user_socket_alternatives,
            data_idle_ns=DATA_IDLE_NS,
        )
        self._connection = Connection(rules, seed)
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_USER)
        self._reads: Reads[_Page] = Reads(config.timing.read_deadline_ms * NS_PER_MS)
        self._orders = OwnOrders()
        self._told = ToldTrades()
        self._credentials: Credentials | None = None
        self._has_baseline = False
        self._has_trades = False
        self._second_look_ns: int | None = None
        self._gap_ns = 0
        self._next_read_ns = 0
        self._compared_ns = 0
        self._good_until_s: int | None = None

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges say."""
        match message:
            case StreamText(stream=stream) if self._connection.owns(stream):
                return self._on_text(message, now)
            case HttpReply():
                return self._on_reply(message, now)
            case HttpFailed(request_id=request_id):
                self._miss(self._reads.finish(request_id), now)
                return []
            case CredentialsFound(credentials=credentials):
                self._credentials = credentials
                return [*self._connection.start(now), *self._connection.renew(now)]
            case ReachTold():
                self._report.hear(message)
                return []
            case StreamOpened(stream=stream) if self._connection.owns(stream):
                return self._on_opened(now)
            case StreamClosed(stream=stream) if self._connection.owns(stream):
                return self._connection.on_closed(message, now)
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection, ask the witness, repeat the status."""
        self._evidence.watch((KEY,), now.monotonic_ns)
        effects = self._connection.on_tick(now)
        if self._connection.is_ready and now.monotonic_ns >= self._next_read_ns:
            self._next_read_ns = now.monotonic_ns + WITNESS_EVERY_NS
            effects.extend(self._read(now))
        effects.extend(self._report.on_tick(self._connection, self._evidence, now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the status; orders and trades are in the ledger, not here."""
        return [self._report.status(self._connection, self._evidence, now)]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether the feed has what it needs to connect."""
        if self._credentials is None:
            return "starting", "no credentials yet"
        return "ready", ""

    def _on_opened(self, now: Instant) -> list[Effect]:
        assert self._credentials is not None
        self._connection.on_opened(now)
        self._orders.forget()
        self._reads.give_up()
        self._note_gap(now)
        found = self._credentials
        auth = StreamAuth(found.api_key, found.secret, found.passphrase)
        subscription = encode(UserSubscription(auth)).decode()
        return [
            StreamSend(self._connection.stream, subscription),
            self._report.status(self._connection, self._evidence, now),
        ]

    def _on_text(self, message: StreamText, now: Instant) -> list[Effect]:
        if is_pong(message.text):
            # The ping went out behind the subscription, so its answer shows that both arrived.
            self._connection.on_pong(now)
            self._connection.confirm(now)
            return []
        self._report.frame(now)
        try:
            frames = decode_user_frames(message.text)
            told = [user_event(frame) for frame in frames]
        except WireFault as fault:
            return self._refuse(message.text, str(fault), now)
        events = tuple(event for event in told if event is not None)
        if any(event.venue_ms - now.wall_ms > FUTURE_MS_MAX for event in events):
            return self._refuse(message.text, FUTURE, now)
        if events:
            self._connection.confirm(now)
            self._connection.on_life(now)
            self._prove(message.received_ns, now)
        for event in events:
            if isinstance(event, OwnOrder):
                self._orders.apply(event, message.received_ns)
            else:
                self._told.note(event)
        strange = _unknown_kinds(frames)
        refused = self._report.reject(message.text, strange, now) if strange else []
        return [*_publish(events, message.received_ns), *refused]

    def _refuse(self, text: str, why: str, now: Instant) -> list[Effect]:
        """Refuse a frame; nobody knows what of ours it told, so that all of it is read."""
        self._note_gap(now)
        return self._report.reject(text, why, now)

    def _note_gap(self, now: Instant) -> None:
        """Take something as missed: only lists that are asked for from now on tell it."""
        self._has_baseline = False
        self._has_trades = False
        self._second_look_ns = None
        self._gap_ns = now.monotonic_ns
        if self._connection.state == "opened":
            self._next_read_ns = 0

    def _miss(self, page: _Page | None, now: Instant) -> None:
        """Note a read without an answer; a second look at trades is made again."""
        if page is not None and page.path == TRADES_PATH and self._has_trades:
            self._second_look_ns = now.monotonic_ns

    def _prove(self, at_ns: MonotonicNs, now: Instant) -> None:
        """Note evidence; before this connection has read what it missed there is none."""
        if not (self._has_baseline and self._has_trades):
            return
        self._evidence.prove(KEY, at_ns)
        self._good_until_s = now.wall_ms // 1_000

    def _read(self, now: Instant) -> list[Effect]:
        """Start the lists that are due: orders each time, trades once a connection."""
        under_way = [page.path for page in self._reads.purposes()]
        effects: list[Effect] = []
        if under_way.count(OPEN_ORDERS_PATH) < LISTS_MAX:
            first = not self._has_baseline
            page = _Page(OPEN_ORDERS_PATH, now.monotonic_ns, 1, first)
            effects.append(self._ask(page, CURSOR_FIRST, now))
        if TRADES_PATH not in under_way and self._wants_trades(now):
            page = _Page(TRADES_PATH, now.monotonic_ns, 1, first=not self._has_trades)
            effects.append(self._ask(page, CURSOR_FIRST, now))
            self._second_look_ns = None
        return effects

    def _wants_trades(self, now: Instant) -> bool:
        second_ns = self._second_look_ns
        return not self._has_trades or (second_ns is not None and now.monotonic_ns >= second_ns)

    def _ask(self, page: _Page, cursor: str, now: Instant) -> Effect:
        place = f"next_cursor={quote(cursor, safe='=')}"
        path = f"{page.path}?{place}"
        if page.path == TRADES_PATH:
            path = f"{page.path}?after={self._trades_after_s(now)}&{place}"
        return self._reads.ask(path, page, now, authenticated=True)

    def _trades_after_s(self, now: Instant) -> int:
        good = now.wall_ms // 1_000 if self._good_until_s is None else self._good_until_s
        return good - GAP_MARGIN_S

    def _on_reply(self, reply: HttpReply, now: Instant) -> list[Effect]:
        page = self._reads.finish(reply.request_id)
        if page is None:
            return []
        if reply.status != 200:
            self._miss(page, now)
            return [
                Log("user.read_refused", {"path": page.path, "status": reply.status}, "warning")
            ]
        self._report.frame(now)
        try:
            if page.path == TRADES_PATH:
                return self._on_trades(page, reply.body, now)
            return self._on_orders(page, reply.body, now)
        except WireFault as fault:
            self._miss(page, now)
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now, READ)

    def _on_trades(self, page: _Page, body: bytes, now: Instant) -> list[Effect]:
        found = decode(TRADES, body, "trades")
        rows = [rest_trade(row) for row in found.data]
        following = self._following(page, found.next_cursor, (), now)
        news = tuple(trade for trade in rows if self._told.note(trade))
        effects = _publish(news, now.monotonic_ns)
        if following is not None:
            return [*effects, following]
        if page.first and page.asked_ns >= self._gap_ns:
            self._has_trades = True
            self._second_look_ns = now.monotonic_ns + SECOND_LOOK_NS
        return effects

    def _on_orders(self, page: _Page, body: bytes, now: Instant) -> list[Effect]:
        found = decode(OPEN_ORDERS, body, "open orders")
        rows = (*page.rows, *(rest_order(row) for row in found.data))
        following = self._following(page, found.next_cursor, rows, now)
        if following is not None:
            return [following]
        if page.asked_ns < self._compared_ns:
            return []  # a later one was answered before it
        self._compared_ns = page.asked_ns
        if page.asked_ns < self._gap_ns:
            return []  # what was missed since then is not in it
        if page.first and not self._has_baseline:
            self._orders.begin(rows, now.monotonic_ns)
            self._has_baseline = True
            return _publish(rows, now.monotonic_ns)
        return self._on_witness(page, rows, now)

    def _on_witness(self, page: _Page, rows: tuple[OwnOrder, ...], now: Instant) -> list[Effect]:
        different = self._orders.compare(rows, page.asked_ns)
        if self._orders.is_agreed:
            self._connection.on_life(now)
            self._prove(page.asked_ns, now)
        if not different:
            return []
        # What the venue answered is told at once; the rest is read after the new connection.
        told = tuple(row for row in rows if row.order_id in different)
        return [
            *_publish(told, now.monotonic_ns),
            Log("user.orders_differ", {"orders": different[:10], "count": len(different)}, "error"),
            *self._connection.drop("open orders differ from those by request", now),
        ]

    def _following(
        self, page: _Page, cursor: str, rows: tuple[OwnOrder, ...], now: Instant
    ) -> Effect | None:
        """Return the read of the next page, None when the list is at its end."""
        if cursor in (CURSOR_END, ""):
            return None
        if page.number >= PAGES_MAX or len(cursor) > CURSOR_CHARS_MAX:
            raise _TooLong(page.path)
        number = page.number + 1
        return self._ask(msgspec.structs.replace(page, number=number, rows=rows), cursor, now)


class _TooLong(WireFault):
    """A list does not end: nothing of it is believed."""


def _unknown_kinds(frames: tuple[UserFrame | UnknownFrame, ...]) -> str:
    """Return why a text is not wholly understood, empty when it is."""
    kinds = [repr(frame.kind[:40]) for frame in frames if isinstance(frame, UnknownFrame)]
    return f"unknown kind {', '.join(kinds[:3])}" if kinds else ""


def _publish(events: tuple[UserEvent, ...], input_ns: MonotonicNs) -> list[Effect]:
    return [Publish("feed.user", event, input_ns) for event in events]

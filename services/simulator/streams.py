"""The market and the user socket: who has subscribed to what, and what each is sent.

Answers PING with PONG always, even where a fault silences everything else, as the venue
has been seen to do. Source: https://docs.polymarket.com/asyncapi.json and
asyncapi-user.json (2026-09-28); https://github.com/Polymarket/py-clob-client/issues/292.
"""

from collections.abc import Iterable, Iterator

import msgspec

from services.simulator.edge import Close, Push, StreamKind
from services.simulator.faults.switches import Faults
from services.simulator.frames import (
    best_bid_ask,
    last_trade_price,
    market_resolved,
    new_market,
    price_changes,
    snapshot,
    tick_size_change,
    traded_book,
)
from services.simulator.happenings import OrderChanged, TickChanged, TradeChanged, TradePrinted
from services.simulator.keys import Keys
from services.simulator.markets import Calendar, Market
from services.simulator.rows import order_frame, trade_frame
from shared.effects import Effect
from shared.units import Instant
from shared.venue.faults import Malformed
from shared.venue.streams_wire import (
    ASSETS_MAX,
    MARKET_OPERATION,
    MARKET_SUBSCRIPTION,
    PING,
    PONG,
    USER_OPERATION,
    USER_SUBSCRIPTION,
)
from shared.venue.wire import decode, encode

POLICY_CLOSE = 1008

TOKENS_MAX = 4 * ASSETS_MAX
"""Subscribed tokens of one connection that the simulator keeps; the venue's number is unknown."""


class Connection(msgspec.Struct, eq=False):
    """One open socket of either kind.

    Attributes:
        tokens: Subscribed tokens of a market socket.
        key: API key of a user socket, empty before its subscription.
        markets: Conditions that a user socket wants, None for all.
    """

    number: int
    kind: StreamKind
    tokens: dict[str, None] = msgspec.field(default_factory=dict)
    has_custom: bool = False
    key: str = ""
    markets: dict[str, None] | None = None


class Streams:
    """All market and user sockets."""

    def __init__(self, calendar: Calendar, keys: Keys, faults: Faults) -> None:
        """Begin with none open."""
        self._calendar = calendar
        self._keys = keys
        self._faults = faults
        self._connections: dict[int, Connection] = {}
        self._of_token: dict[str, dict[int, Connection]] = {}
        self._of_key: dict[str, dict[int, Connection]] = {}
        self._touches: dict[str, tuple[int | None, int | None]] = {}

    def open(self, number: int, kind: StreamKind) -> None:
        """Take a new socket in."""
        self._connections[number] = Connection(number, kind)

    def close(self, number: int) -> None:
        """Forget a socket."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        for token in connection.tokens:
            self._of_token[token].pop(number, None)
        if connection.key:
            self._of_key[connection.key].pop(number, None)

    def numbers(self, kind: str, key: str = "", asset: str = "") -> list[int]:
        """Return the open sockets of a kind, of one API key or with one token if it is given."""
        return [
            connection.number
            for connection in self._connections.values()
            if kind in ("", connection.kind)
            and key in ("", connection.key)
            and (not asset or asset in connection.tokens)
        ]

    def receive(self, number: int, text: str, now: Instant) -> list[Effect]:
        """Take a client's frame in."""
        connection = self._connections.get(number)
        if connection is None:
            return []
        if text == PING:
            return [Push(number, PONG)]
        try:
            if connection.kind == "market":
                return self._receive_market(connection, text, now)
            return self._receive_user(connection, text)
        except Malformed:
            return []

    # --- subscriptions --------------------------------------------------------------

    def _receive_market(self, connection: Connection, text: str, now: Instant) -> list[Effect]:
        if '"operation"' in text:
            operation = decode(MARKET_OPERATION, text, "market operation")
            if operation.custom_feature_enabled is not None:
                # Even where all the ids are rejected as subscribed already.
                connection.has_custom = operation.custom_feature_enabled
            if operation.operation == "unsubscribe":
                self._unsubscribe(connection, operation.assets_ids)
                return []
            return self._subscribe(connection, operation.assets_ids, now, dump=True)
        first = decode(MARKET_SUBSCRIPTION, text, "market subscription")
        connection.has_custom = first.custom_feature_enabled
        return self._subscribe(connection, first.assets_ids, now, dump=first.initial_dump)

    def _subscribe(
        self, connection: Connection, tokens: Iterable[str], now: Instant, *, dump: bool
    ) -> list[Effect]:
        """Subscribe to tokens, and dump their books in one array; unknown ids get silence.

        Ids beyond the venue's bound are followed, but their first book is missing; those that
        are subscribed already are rejected as duplicates.
        """
        books: list[str] = []
        for token in tokens:
            market = self._calendar.by_token.get(token)
            is_full = len(connection.tokens) >= TOKENS_MAX
            if market is None or not market.is_trading or token in connection.tokens or is_full:
                continue
            connection.tokens[token] = None
            self._of_token.setdefault(token, {})[connection.number] = connection
            if len(connection.tokens) > ASSETS_MAX:
                continue
            names = (market.asset, market.condition_id, token)
            if self._faults.lets_frame_pass("market", names, now.monotonic_ns):
                books.append(snapshot(market, market.outcome_of(token)))
        if not dump or not books:
            return []
        return [Push(connection.number, "[" + ",".join(books) + "]\n")]

    def _unsubscribe(self, connection: Connection, tokens: Iterable[str]) -> None:
        for token in tokens:
            if connection.tokens.pop(token, "") is None:
                self._of_token[token].pop(connection.number, None)

    def _receive_user(self, connection: Connection, text: str) -> list[Effect]:
        if '"operation"' in text:
            operation = decode(USER_OPERATION, text, "user operation")
            wanted = {} if connection.markets is None else connection.markets
            for market in operation.markets:
                if operation.operation == "subscribe":
                    wanted[market] = None
                else:
                    wanted.pop(market, None)
            connection.markets = wanted
            return []
        first = decode(USER_SUBSCRIPTION, text, "user subscription")
        auth = first.auth
        if not self._keys.is_stream_auth(auth.api_key, auth.secret, auth.passphrase):
            return [Close(connection.number, POLICY_CLOSE, "auth")]
        connection.key = auth.api_key
        if first.markets is not msgspec.UNSET:
            connection.markets = dict.fromkeys(first.markets)
        self._of_key.setdefault(auth.api_key, {})[connection.number] = connection
        return []

    # --- market frames --------------------------------------------------------------

    def has_listeners(self, market: Market) -> bool:
        """Tell whether anybody has subscribed to a token of a market."""
        of_token = self._of_token
        return bool(of_token.get(market.tokens[0]) or of_token.get(market.tokens[1]))

    def _listeners(self, market: Market) -> tuple[Connection, ...]:
        """Return who has subscribed to either token of a market, each once."""
        up, down = (self._of_token.get(token, {}) for token in market.tokens)
        return tuple((up | down).values())

    def _push(
        self, listeners: Iterable[Connection], market: Market, frame: str, now: Instant
    ) -> Iterator[Effect]:
        """Send a frame to each connection that no fault keeps it from."""
        names = (market.asset, market.condition_id, *market.tokens)
        for connection in listeners:
            if self._faults.lets_frame_pass("market", names, now.monotonic_ns):
                yield Push(connection.number, frame)

    def _push_token(
        self, market: Market, outcome: int, frame: str, now: Instant
    ) -> Iterator[Effect]:
        listeners = self._of_token.get(market.tokens[outcome], {})
        return self._push(listeners.values(), market, frame, now)

    def book_changed(self, market: Market, now: Instant, *, whole: bool) -> Iterator[Effect]:
        """Tell of a changed book: by levels, or whole after a trade or a new tick."""
        listeners = self._listeners(market)
        if not listeners:
            return
        if not whole and not market.book.traded:
            for frame in price_changes(market):
                yield from self._push(listeners, market, frame, now)
        else:
            taken = market.book.taker_outcome
            for outcome in (taken, 1 - taken):
                if self._of_token.get(market.tokens[outcome]):
                    yield from self._push_token(market, outcome, traded_book(market, outcome), now)
        touch = (market.book.bids.best(), market.book.asks.best())
        if self._touches.get(market.condition_id) != touch:
            self._touches[market.condition_id] = touch
            yield from self._touch_changed(market, now)

    def _touch_changed(self, market: Market, now: Instant) -> Iterator[Effect]:
        """Tell those who asked for custom features of a new touch."""
        for outcome, token in enumerate(market.tokens):
            known = self._of_token.get(token, {}).values()
            listeners = [connection for connection in known if connection.has_custom]
            if listeners:
                yield from self._push(listeners, market, best_bid_ask(market, outcome), now)

    def tick_changed(self, change: TickChanged, now: Instant) -> Iterator[Effect]:
        """Tell of a new tick, of each token; the old one may be the same."""
        market = change.market
        for outcome in (0, 1):
            frame = tick_size_change(market, outcome, change.old, change.new, now.wall_ms)
            yield from self._push_token(market, outcome, frame, now)

    def trade_printed(self, printed: TradePrinted, now: Instant) -> Iterator[Effect]:
        """Tell of a trade, for the taker's token only."""
        market = printed.market
        if not self._of_token.get(market.tokens[printed.outcome]):
            return
        frame = last_trade_price(
            market,
            printed.outcome,
            printed.price,
            printed.size,
            printed.side,
            now.wall_ms,
            printed.transaction_hash,
        )
        yield from self._push_token(market, printed.outcome, frame, now)

    def listed(self, market: Market, now: Instant) -> Iterator[Effect]:
        """Tell of a new market everybody who asked for custom features, whatever else he follows.

        Source: https://docs.polymarket.com/market-data/websocket/market-channel (2026-09-28).
        """
        listeners = [
            connection
            for connection in self._connections.values()
            if connection.kind == "market" and connection.has_custom
        ]
        if listeners:
            yield from self._push(listeners, market, new_market(market, now.wall_ms), now)

    def resolved(self, market: Market, now: Instant) -> Iterator[Effect]:
        """Tell of a resolution those who asked for custom features."""
        self._touches.pop(market.condition_id, None)
        known = self._listeners(market)
        listeners = [connection for connection in known if connection.has_custom]
        if listeners:
            yield from self._push(listeners, market, market_resolved(market, now.wall_ms), now)

    # --- user frames ----------------------------------------------------------------

    def order_changed(self, change: OrderChanged, now: Instant) -> Iterator[Effect]:
        """Tell a key of its order."""
        order = change.order
        listeners = self._of_key.get(order.owner)
        if not listeners:
            return
        market = self._calendar.by_condition[order.market]
        frame = encode(order_frame(change, market)).decode()
        yield from self._to_user(market, listeners, frame, now)

    def trade_changed(self, change: TradeChanged, now: Instant) -> Iterator[Effect]:
        """Tell each party's key of its trade."""
        market = self._calendar.by_condition.get(change.trade.market)
        if market is None:
            return
        for key in change.trade.owners:
            listeners = self._of_key.get(key)
            if listeners:
                frame = encode(trade_frame(change, key)).decode()
                yield from self._to_user(market, listeners, frame, now)

    def _to_user(
        self, market: Market, listeners: dict[int, Connection], frame: str, now: Instant
    ) -> Iterator[Effect]:
        names = (market.asset, market.condition_id, *market.tokens)
        for number, connection in listeners.items():
            wanted = connection.markets
            if wanted is not None and market.condition_id not in wanted:
                continue
            if self._faults.lets_frame_pass("user", names, now.monotonic_ns):
                yield Push(number, frame)

"""Prices read off the books: best price, midpoint, spread, last trade, each alone and for many.

Plural forms are asked by POST with a list of objects or by GET with comma-separated ids; tokens
without a book are missing from their answers. An empty side of a book counts as 0 for a bid and as
1 for an ask, which is the simulator's choice: the documentation says nothing of it.

Which price a `side` asks for is told differently: the guide (prices and order books, 2026-09-28)
says that BUY is what a buyer pays, the best ask; the OpenAPI text says the best bid. The guide
rules here, the other is served under the setting `document_form` (see `document_form.py`).

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28) and
py-clob-client-v2 1.2.1.
"""

from collections.abc import Callable, Iterable

import msgspec

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.markets import Calendar, Market
from services.simulator.price_history import PriceHistory
from services.simulator.verdicts import NO_BOOK_TEXT
from shared.units import PRICE_ONE_E4, Instant, PriceE4
from shared.venue.decimals import format_price
from shared.venue.faults import Malformed
from shared.venue.market_wire import BOOKS_MAX
from shared.venue.wire import decode

PAYLOAD_TEXT = "Invalid payload"
LIMIT_TEXT = "Payload exceeds the limit"
SIDE_TEXT = "Invalid side"


class Wanted(msgspec.Struct, frozen=True):
    """One element of a plural request; a side is needed for prices only."""

    token_id: str
    side: str = ""


_WANTED = msgspec.json.Decoder(tuple[Wanted, ...])
Value = Callable[[Market, int], object]


def touch(market: Market, outcome: int) -> tuple[int, int]:
    """Return best bid and best ask of one token in 1e-4 USD, 0 and one dollar for empty sides."""
    bid = market.book.bids.best()
    ask = market.book.asks.best()
    low = 0 if bid is None else bid
    high = PRICE_ONE_E4 if ask is None else ask
    return (low, high) if outcome == 0 else (PRICE_ONE_E4 - high, PRICE_ONE_E4 - low)


def middle_text(market: Market, outcome: int) -> str:
    """Return the midpoint of one token, with one decimal more where it lies between two."""
    low, high = touch(market, outcome)
    doubled = low + high
    text = f"{doubled / (2 * PRICE_ONE_E4):.5f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


class Quotes:
    """Handles requests for prices."""

    def __init__(self, calendar: Calendar, history: PriceHistory, *, buys_at_bid: bool) -> None:
        """Set where to look, and whether the price of BUY is the best bid."""
        self._calendar = calendar
        self._history = history
        self._buys_at_bid = buys_at_bid

    # --- one token ------------------------------------------------------------------

    def price(self, request: Request, now: Instant) -> Answer:
        """Handle GET /price."""
        side = request.query.get("side", "").upper()
        if side not in ("BUY", "SELL"):
            return error(400, SIDE_TEXT)
        return self._one(
            request, lambda market, outcome: {"price": self._price(market, outcome, side)}
        )

    def midpoint(self, request: Request, now: Instant) -> Answer:
        """Handle GET /midpoint."""
        return self._one(request, lambda market, outcome: {"mid": middle_text(market, outcome)})

    def spread(self, request: Request, now: Instant) -> Answer:
        """Handle GET /spread."""
        return self._one(request, lambda market, outcome: {"spread": _spread(market, outcome)})

    def last_trade(self, request: Request, now: Instant) -> Answer:
        """Handle GET /last-trade-price."""
        return self._one(request, self._last_trade)

    # --- many tokens ----------------------------------------------------------------

    def prices(self, request: Request, now: Instant) -> Answer:
        """Handle POST /prices and GET /prices."""
        wanted = _wanted(request)
        if isinstance(wanted, Answer):
            return wanted
        found: dict[str, dict[str, str]] = {}
        for item, market, outcome in self._known(wanted):
            sides = (item.side.upper(),) if item.side else ("BUY", "SELL")
            if not set(sides) <= {"BUY", "SELL"}:
                return error(400, SIDE_TEXT)
            row = found.setdefault(item.token_id, {})
            row.update({side: self._price(market, outcome, side) for side in sides})
        return ok(found)

    def midpoints(self, request: Request, now: Instant) -> Answer:
        """Handle POST /midpoints and GET /midpoints."""
        return self._many(request, middle_text)

    def spreads(self, request: Request, now: Instant) -> Answer:
        """Handle POST /spreads and GET /spreads."""
        return self._many(request, _spread)

    def last_trades(self, request: Request, now: Instant) -> Answer:
        """Handle POST /last-trades-prices and GET /last-trades-prices."""
        wanted = _wanted(request)
        if isinstance(wanted, Answer):
            return wanted
        return ok(
            [
                {"token_id": item.token_id, **self._last_trade(market, outcome)}
                for item, market, outcome in self._known(wanted)
            ]
        )

    def _many(self, request: Request, value: Value) -> Answer:
        wanted = _wanted(request)
        if isinstance(wanted, Answer):
            return wanted
        known = self._known(wanted)
        return ok({item.token_id: value(market, outcome) for item, market, outcome in known})

    def _one(self, request: Request, value: Value) -> Answer:
        token = request.query.get("token_id", "")
        market = self._trading(token)
        if market is None:
            return error(404, NO_BOOK_TEXT)
        return ok(value(market, market.outcome_of(token)))

    def _known(self, wanted: Iterable[Wanted]) -> list[tuple[Wanted, Market, int]]:
        return [
            (item, market, market.outcome_of(item.token_id))
            for item in wanted
            if (market := self._trading(item.token_id)) is not None
        ]

    def _trading(self, token: str) -> Market | None:
        market = self._calendar.by_token.get(token)
        return market if market is not None and market.is_trading else None

    def _price(self, market: Market, outcome: int, side: str) -> str:
        bid, ask = touch(market, outcome)
        return _text(bid if (side == "BUY") == self._buys_at_bid else ask)

    def _last_trade(self, market: Market, outcome: int) -> dict[str, str]:
        """Return price and side of the last trade in one token; half a dollar before the first."""
        last = self._history.last(market.condition_id)
        if last is None:
            return {"price": "0.5", "side": ""}
        if last.outcome == outcome:
            return {"price": _text(last.price), "side": last.side}
        mirrored = "SELL" if last.side == "BUY" else "BUY"
        return {"price": _text(PRICE_ONE_E4 - last.price), "side": mirrored}


def _wanted(request: Request) -> tuple[Wanted, ...] | Answer:
    """Return what a plural request asks for, or the venue's refusal of it."""
    if request.method == "GET":
        tokens = [token for token in request.query.get("token_ids", "").split(",") if token]
        sides = [side for side in request.query.get("sides", "").split(",") if side]
        if sides and len(sides) != len(tokens):
            return error(400, PAYLOAD_TEXT)
        wanted = tuple(map(Wanted, tokens, sides or [""] * len(tokens)))
    else:
        try:
            wanted = decode(_WANTED, request.body, "tokens")
        except Malformed:
            return error(400, PAYLOAD_TEXT)
    return error(400, LIMIT_TEXT) if len(wanted) > BOOKS_MAX else wanted


def _text(price: int) -> str:
    return format_price(PriceE4(price))


def _spread(market: Market, outcome: int) -> str:
    bid, ask = touch(market, outcome)
    return _text(ask - bid)

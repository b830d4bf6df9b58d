"""A venue whose lists have pages, any of which may be lost, late or moved."""

import base64
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from services.execution.reconciliation.account_reads import AccountReads
from services.execution.reconciliation.paged_read import Read
from services.execution.requests import OpenOrdersAsk, Requests, TradesAsk
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.facts import OwnOrder, OwnTrade
from shared.units import BootNs, Instant
from shared.venue.account_wire import CURSOR_END, PAGE_ROWS_MAX
from tests.builders.markets import MARKET, UP, instant

Fault = str | tuple[int, dict[str, str]] | None
"""What becomes of an answer: None is the true one, "lost" none, else a status and headers."""

R = TypeVar("R")

DEADLINE_MS = 600
TRIP_MS = 20
STEP_MS = 10


def order_row(number: int) -> dict[str, Any]:
    """Return one resting order, named by its number."""
    return {
        "id": f"0x{number:064x}",
        "status": "LIVE",
        "market": MARKET,
        "asset_id": UP,
        "side": "BUY",
        "original_size": "5",
        "size_matched": "0",
        "price": "0.48",
        "created_at": 1_790_000_000,
    }


def trade_row(number: int) -> dict[str, Any]:
    """Return one trade, named by its number."""
    return {
        "id": f"trade-{number}",
        "taker_order_id": f"0x{number:064x}",
        "market": MARKET,
        "asset_id": UP,
        "side": "BUY",
        "size": "5",
        "price": "0.48",
        "status": "MATCHED",
        "match_time": "1790000000",
        "maker_orders": [],
    }


class PagedVenue:
    """Answers reads after a while, page by page; `spoil` may change or lose any answer.

    Attributes:
        orders, trades: What it lists, in its order.
        asked: Offset of each page that was asked for, with the moment.
        spoil: Given the number of a question (from 1) and the offset of its page. It may change
            the lists: it is called when the question arrives.
        bodies: Bodies instead of the true ones, by number of the question.
    """

    def __init__(self) -> None:
        self.ms = 0
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.asked: list[tuple[int, int]] = []
        self.spoil: Callable[[int, int], Fault] = lambda number, offset: None
        self.bodies: dict[int, bytes] = {}
        self.requests = Requests()
        self.reads = AccountReads(self.requests, DEADLINE_MS)
        self.order_reads: list[Read[OwnOrder]] = []
        self.trade_reads: list[Read[OwnTrade]] = []
        self.demanded_ns = BootNs(0)
        self.is_zeroing = False
        self._answers: list[tuple[int, HttpReply | HttpFailed]] = []

    @property
    def now(self) -> Instant:
        return instant(self.ms)

    def read_orders(self) -> Read[OwnOrder]:
        """Read all open orders, for as long as that takes."""
        self.take(self.reads.read_orders(self.now))
        return self.until(self.order_reads)

    def read_trades(self) -> Read[OwnTrade]:
        """Read all trades, for as long as that takes."""
        self.take(self.reads.read_trades(0, self.now))
        return self.until(self.trade_reads)

    def until(self, reads: list[R]) -> R:
        """Let time pass until a further read has ended."""
        count = len(reads)
        for _ in range(60_000 // STEP_MS):
            self.run(STEP_MS)
            if len(reads) > count:
                return reads[-1]
        raise AssertionError("no read ends within a minute")

    def run(self, milliseconds: int) -> None:
        """Let time pass."""
        for _ in range(milliseconds // STEP_MS):
            self.ms += STEP_MS
            due = [answer for at_ms, answer in self._answers if at_ms <= self.ms]
            self._answers = [one for one in self._answers if one[0] > self.ms]
            for answer in due:
                self._tell(answer)
            self.take(self.reads.tick(self.demanded_ns, self.now, is_zeroing=self.is_zeroing))

    def take(self, effects: list[Effect]) -> None:
        """Take what was sent."""
        for effect in effects:
            assert isinstance(effect, HttpRequest)
            self._answer(effect)

    def _answer(self, request: HttpRequest) -> None:
        parts = urlsplit(request.path)
        cursor = unquote(parse_qs(parts.query)["next_cursor"][0])
        offset = int(base64.b64decode(cursor))
        self.asked.append((offset, self.ms))
        number = len(self.asked)
        fault = self.spoil(number, offset)
        rows = self.orders if parts.path.endswith("orders") else self.trades
        end = offset + PAGE_ROWS_MAX
        following = CURSOR_END if end >= len(rows) else base64.b64encode(str(end).encode()).decode()
        body = msgspec.json.encode({"data": rows[offset:end], "next_cursor": following})
        sent_ns = self.now.boot_ns
        answer: HttpReply | HttpFailed
        if isinstance(fault, str):
            answer = HttpFailed(request.request_id, True, "deadline", sent_ns)
            self._answers.append((self.ms + DEADLINE_MS, answer))
            return
        status, headers = fault or (200, {})
        body = self.bodies.get(number, body if status == 200 else b'{"error":"no"}')
        answer = HttpReply(request.request_id, status, headers, body, sent_ns)
        self._answers.append((self.ms + TRIP_MS, answer))

    def _tell(self, answer: HttpReply | HttpFailed) -> None:
        ask = self.requests.take(answer.request_id)
        if isinstance(ask, OpenOrdersAsk):
            effects: list[Effect] = []
            if isinstance(answer, HttpReply):
                effects, orders = self.reads.orders_replied(answer, self.now)
            else:
                orders = self.reads.orders_failed(answer, self.now)
            self.order_reads += [] if orders is None else [orders]
        else:
            assert isinstance(ask, TradesAsk)
            effects = []
            if isinstance(answer, HttpReply):
                effects, trades = self.reads.trades_replied(answer, self.now)
            else:
                trades = self.reads.trades_failed(answer, self.now)
            self.trade_reads += [] if trades is None else [trades]
        self.take(effects)

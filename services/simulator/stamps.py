"""The wire log: all that was received and all that became of it, with the venue's stamps.

Each record is one JSON object with a dense number `n`, `at_ns` (CLOCK_MONOTONIC of the
simulator's host, comparable with its clients' on the same host), `wall_ns` and `kind`.
Numbers of money and shares are decimal text as on the wire, so that anybody can recompute
a profit: sum over `fill` and `payout` records of the account, less trades that FAILED.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from services.simulator.edge import Record
from services.simulator.exchange import Exchange
from services.simulator.happenings import (
    Happening,
    MarketMoved,
    OrderChanged,
    Paid,
    TickChanged,
    TradeChanged,
)
from services.simulator.trades import MakerPart, Trade
from shared.units import Instant, MoneyE6, PriceE4, SizeE6
from shared.venue.decimals import format_money, format_price, format_scaled, format_size

RECORDS_MAX = 200_000
"""Kept in memory for queries, about 100 MB; the file has all."""

_E8_PLACES = 8


class Stamps:
    """Writes records, and keeps the newest."""

    def __init__(self) -> None:
        """Begin an empty log."""
        self._count = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=RECORDS_MAX)
        self._fresh: list[Record] = []

    def add(self, kind: str, now: Instant, **fields: Any) -> None:
        """Write one record."""
        self._count += 1
        record = {
            "n": self._count,
            "at_ns": now.monotonic_ns,
            "wall_ns": now.wall_ns,
            "kind": kind,
            **fields,
        }
        line = msgspec.json.encode(record)
        self._kept.append((self._count, line))
        self._fresh.append(Record(line))

    def collect(self) -> list[Record]:
        """Return the records written since the last call, for the file."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def since(self, number: int, limit: int) -> tuple[bytes, int]:
        """Return records after a number as a JSON array, and the number of the last of them."""
        lines: list[bytes] = []
        last = number
        first = self._kept[0][0] if self._kept else 1
        for place in range(max(0, number + 1 - first), len(self._kept)):
            if len(lines) >= limit:
                break
            last, line = self._kept[place]
            lines.append(line)
        return b"[" + b",".join(lines) + b"]", last

    # --- happenings -----------------------------------------------------------------

    def note(self, happening: Happening, exchange: Exchange, now: Instant) -> None:
        """Write what a happening means for clients; that of participants alone is left out."""
        match happening:
            case OrderChanged():
                self._note_order(happening, exchange, now)
            case TradeChanged() if happening.status == "MATCHED":
                self._note_fills(happening.trade, now)
            case TradeChanged():
                trade_id = happening.trade.trade_id
                self.add("trade", now, trade_id=trade_id, status=happening.status)
            case MarketMoved():
                self._note_market(happening, now)
            case TickChanged():
                market = happening.market.condition_id
                self.add("tick", now, market=market, tick=format_price(happening.new))
            case Paid():
                self.add(
                    "payout",
                    now,
                    market=happening.market.condition_id,
                    account=happening.account,
                    token=happening.token,
                    size=format_size(happening.size),
                    payout=format_money(happening.payout),
                )
            case _:
                return

    def _note_order(self, change: OrderChanged, exchange: Exchange, now: Instant) -> None:
        order = change.order
        market = exchange.calendar.by_condition[order.market]
        self.add(
            "order",
            now,
            order_id=order.order_id,
            owner=order.owner,
            account=order.maker,
            market=order.market,
            token=market.tokens[order.outcome],
            side=order.side,
            price=format_price(order.price),
            size=format_size(order.size),
            filled=format_size(change.filled),
            change=change.kind,
            status=change.status,
            cause=change.cause,
        )

    def _note_fills(self, trade: Trade, now: Instant) -> None:
        if trade.owner:
            self._note_fill(
                now,
                trade,
                order_id=trade.taker_order_id,
                owner=trade.owner,
                account=trade.maker,
                role="TAKER",
                part=MakerPart(
                    order_id=trade.taker_order_id,
                    owner=trade.owner,
                    maker=trade.maker,
                    outcome=trade.outcome,
                    side=trade.side,
                    price=trade.price,
                    size=trade.size,
                    money=trade.money,
                ),
                fee=trade.fee,
            )
        for part in trade.makers:
            if part.owner:
                self._note_fill(
                    now,
                    trade,
                    order_id=part.order_id,
                    owner=part.owner,
                    account=part.maker,
                    role="MAKER",
                    part=part,
                    fee=MoneyE6(0),
                )

    def _note_fill(
        self,
        now: Instant,
        trade: Trade,
        *,
        order_id: str,
        owner: str,
        account: str,
        role: str,
        part: MakerPart,
        fee: MoneyE6,
    ) -> None:
        self.add(
            "fill",
            now,
            trade_id=trade.trade_id,
            order_id=order_id,
            owner=owner,
            account=account,
            role=role,
            market=trade.market,
            token=trade.tokens[part.outcome],
            side=part.side,
            price=format_price(PriceE4(part.price)),
            size=format_size(SizeE6(part.size)),
            money=format_money(MoneyE6(part.money)),
            fee=format_money(fee),
        )

    def _note_market(self, moved: MarketMoved, now: Instant) -> None:
        market = moved.market
        winner = None if market.winner is None else market.tokens[market.winner]
        self.add(
            "market",
            now,
            market=market.condition_id,
            slug=market.slug,
            state=moved.state,
            tokens=market.tokens,
            start_ms=market.start_ms,
            end_ms=market.end_ms,
            strike=_reference(market.strike_e8),
            final=_reference(market.final_e8),
            winner=winner,
        )


class _Place(msgspec.Struct, frozen=True):
    """Which record this is: later ones have a later moment, or the same and a higher number."""

    n: int
    at_ns: int


def not_written(last_line: bytes | None, stamps: Iterable[bytes]) -> list[bytes]:
    """Return which records of the venue's last turn the log lacks, since the process ended.

    Args:
        last_line: Of the log; None while it has none.
        stamps: Records of that turn, as the journal keeps them.
    """
    if last_line is None:
        return list(stamps)
    last = msgspec.json.decode(last_line, type=_Place)
    found: list[bytes] = []
    for stamp in stamps:
        place = msgspec.json.decode(stamp, type=_Place)
        if (place.at_ns, place.n) > (last.at_ns, last.n):
            found.append(stamp)
    return found


def _reference(price_e8: int | None) -> str | None:
    return None if price_e8 is None else format_scaled(price_e8, _E8_PLACES)

"""Liquidity rewards: sampled by the minute, told to those who ask, and never paid out.

Each minute has one sample at a moment of chance within it, and each sample shares a 1440th of a
market's daily pool by score. The venue's crypto pools have ended in August 2026, so that the pool
is empty by default and nothing is sampled.

Source: https://docs.polymarket.com/developers/rewards/overview (2026-09-28); rows as
polymarket-client 0.14.0 reads them, `models/clob/rewards.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from services.simulator.agenda import Agenda
from services.simulator.answers import Answer, error, ok
from services.simulator.chance import derive
from services.simulator.edge import Request, last_segment
from services.simulator.exchange import Exchange
from services.simulator.market_records import COLLATERAL_ADDRESS, Row, market_record, question_of
from services.simulator.markets import Market
from services.simulator.matching import Order
from services.simulator.paging import page
from services.simulator.scoring import MAX_SPREAD_CENTS, MIN_SIZE_SHARES, quoter_score
from services.simulator.wallet_query import wallet_of
from shared.effects import Effect
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials

SAMPLES_A_DAY = 1_440
MINUTE_NS = 60 * NS_PER_S
EARNINGS_MAX = 10_000
"""Rows of one day, market and maker that are remembered; the oldest go first."""


def day_of(now: Instant) -> str:
    """Return the UTC day as `2026-11-20`."""
    return datetime.fromtimestamp(now.wall_ns // NS_PER_S, UTC).strftime("%Y-%m-%d")


class Rewards:
    """Samples, and tells what they have come to."""

    def __init__(self, exchange: Exchange, daily_usd: float, seed: int) -> None:
        """Set where to look and each market's pool a day, 0 for none."""
        self._exchange = exchange
        self._daily_usd = daily_usd
        self._seed = seed
        self._earned: dict[tuple[str, str, str], float] = {}
        self._shares: dict[tuple[str, str], float] = {}

    # --- sampling -------------------------------------------------------------------

    def begin(self, agenda: Agenda, now: Instant) -> None:
        """Put the first sample on the agenda; each puts the next one there."""
        if self._daily_usd:
            self._plan(agenda, now)

    def _plan(self, agenda: Agenda, now: Instant) -> None:
        minute = now.wall_ns // MINUTE_NS + 1
        offset_ns = derive(self._seed, "sample", str(minute)) % MINUTE_NS
        due_ns = minute * MINUTE_NS + offset_ns - now.wall_ns + now.monotonic_ns

        def later(then: Instant) -> list[Effect]:
            self.sample(then)
            self._plan(agenda, then)
            return []

        agenda.at(due_ns, later)

    def sample(self, now: Instant) -> None:
        """Share one sample's part of every market's pool."""
        self._shares.clear()
        for market in self._exchange.calendar.trading():
            scores = self._scores(market, now)
            total = sum(scores.values())
            clients = self._clients(market)
            for maker, score in scores.items():
                if score and maker in clients:
                    self._credit(market, maker, score / total, day_of(now))
        while len(self._earned) > EARNINGS_MAX:
            del self._earned[next(iter(self._earned))]

    def _credit(self, market: Market, maker: str, share: float, day: str) -> None:
        self._shares[market.condition_id, maker] = share
        key = (day, market.condition_id, maker)
        earned = self._daily_usd / SAMPLES_A_DAY * share
        self._earned[key] = self._earned.get(key, 0.0) + earned

    def _scores(self, market: Market, now: Instant) -> dict[str, float]:
        makers: dict[str, list[Order]] = {}
        for ladder in (market.book.bids, market.book.asks):
            for level in ladder.levels.values():
                for order in level.orders.values():
                    makers.setdefault(order.maker, []).append(order)
        return {
            maker: quoter_score(orders, market, now.wall_ms) for maker, orders in makers.items()
        }

    def _clients(self, market: Market) -> set[str]:
        return {
            order.maker
            for orders in self._exchange.open.values()
            for order in orders.values()
            if order.market == market.condition_id
        }

    # --- of a key -------------------------------------------------------------------

    def earnings(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /rewards/user: a day's earnings by market."""
        rows = list(self._rows(request, who))
        return page(rows, request.query.get("next_cursor"), lambda row: row)

    def total(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /rewards/user/total."""
        rows = list(self._rows(request, who))
        if not rows:
            return ok([])
        earned = sum(earned for _, earned in self._of(request, who))
        head = {name: rows[0][name] for name in _TOTAL_NAMES}
        return ok([head | {"earnings": earned, "native_earnings": earned}])

    def percentages(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /rewards/user/percentages: the share of each market's newest sample."""
        wallet = wallet_of(request, who)
        return ok(
            {
                condition: 100 * share
                for (condition, maker), share in self._shares.items()
                if maker == wallet
            }
        )

    def of_markets(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /rewards/user/markets: a day's earnings with each market's configuration."""
        wallet = wallet_of(request, who)
        earned = {condition: amount for condition, amount in self._of(request, who)}
        markets = list(self._paying())

        def to_row(market: Market) -> Row:
            condition = market.condition_id
            share = self._shares.get((condition, wallet), 0.0)
            earnings = {
                "asset_address": COLLATERAL_ADDRESS,
                "asset_rate": 1,
                "earnings": earned.get(condition, 0.0),
            }
            return self._config(market) | {
                "earning_percentage": 100 * share,
                "earnings": [earnings],
                "maker_address": wallet,
            }

        return page(markets, request.query.get("next_cursor"), to_row)

    def _of(self, request: Request, who: Credentials) -> Iterator[tuple[str, float]]:
        wallet, day = wallet_of(request, who), request.query.get("date", "")
        for (date, condition, maker), earned in self._earned.items():
            if (date, maker) == (day, wallet):
                yield condition, earned

    def _rows(self, request: Request, who: Credentials) -> Iterator[Row]:
        for condition, earned in self._of(request, who):
            yield {
                "date": request.query["date"] + "T00:00:00Z",
                "condition_id": condition,
                "asset_address": COLLATERAL_ADDRESS,
                "maker_address": wallet_of(request, who),
                "earnings": earned,
                "asset_rate": 1,
            }

    # --- of everybody ---------------------------------------------------------------

    def current(self, request: Request, now: Instant) -> Answer:
        """Handle GET /rewards/markets/current."""
        markets = list(self._paying())
        return page(markets, request.query.get("next_cursor"), self._current)

    def of_market(self, request: Request, now: Instant) -> Answer:
        """Handle GET /rewards/markets/{condition}."""
        market = self._exchange.calendar.by_condition.get(last_segment(request))
        if market is None:
            return error(404, "market not found")
        markets = [market] if self._daily_usd else []
        return page(markets, request.query.get("next_cursor"), self._config)

    def _paying(self) -> Iterator[Market]:
        return self._exchange.calendar.trading() if self._daily_usd else iter(())

    def _rates(self, market: Market) -> list[Row]:
        record = market_record(market, self._daily_usd)
        return [
            {
                "asset_address": COLLATERAL_ADDRESS,
                "start_date": record["accepting_order_timestamp"],
                "end_date": record["end_date_iso"],
                "rate_per_day": self._daily_usd,
                "total_rewards": self._daily_usd,
            }
        ]

    def _current(self, market: Market) -> Row:
        return {
            "condition_id": market.condition_id,
            "rewards_max_spread": MAX_SPREAD_CENTS,
            "rewards_min_size": MIN_SIZE_SHARES,
            "rewards_config": self._rates(market),
            "native_daily_rate": self._daily_usd,
            "total_daily_rate": self._daily_usd,
        }

    def _config(self, market: Market) -> Row:
        return {
            "condition_id": market.condition_id,
            "question": question_of(market),
            "market_slug": market.slug,
            "event_slug": market.slug,
            "image": "",
            "rewards_max_spread": MAX_SPREAD_CENTS,
            "rewards_min_size": MIN_SIZE_SHARES,
            "market_competitiveness": 0,
            "tokens": market_record(market, self._daily_usd)["tokens"],
            "rewards_config": self._rates(market),
        }


_TOTAL_NAMES = ("date", "asset_address", "maker_address", "asset_rate")

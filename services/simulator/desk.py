"""What the trading host serves beside orders and books, put together.

Prices, market records, balances, notifications, rewards, builders and the lesser keys: each is a
part of its own, and this knows only how they are reached and who hears what happens.
"""

from services.simulator.agenda import Agenda
from services.simulator.answers import Answer, ok
from services.simulator.balances import Balances
from services.simulator.builders import Builders
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.happenings import Happening
from services.simulator.key_requests import KeyRequests
from services.simulator.keys import Keys
from services.simulator.market_records import MarketRecords
from services.simulator.notices import Notices
from services.simulator.price_history import PriceHistory
from services.simulator.quotes import Quotes
from services.simulator.rebates import Rebates
from services.simulator.rewards import Rewards
from services.simulator.routes import PrivateRoute, PublicRoute, Route
from services.simulator.scoring_requests import ScoringRequests
from shared.config import SimulatorSettings
from shared.units import Instant
from shared.venue.account_wire import CURSOR_END, PAGE_ROWS_MAX, ClosedOnly, Page
from shared.venue.auth import Credentials
from shared.venue.wallets import DEPOSIT_WALLET, EOA, PROXY, SAFE, maker_address

WALLET_KINDS = (EOA, PROXY, SAFE, DEPOSIT_WALLET)


class Desk:
    """The lesser parts of the trading host.

    Attributes:
        history: Prints, which the data service tells too.
    """

    def __init__(self, exchange: Exchange, keys: Keys, settings: SimulatorSettings) -> None:
        """Build the parts."""
        daily_usd = settings.rewards_usd
        self._standings = exchange.accounts.standings
        self._keys = KeyRequests(keys)
        self.history = PriceHistory(exchange.calendar)
        self._quotes = Quotes(
            exchange.calendar, self.history, buys_at_bid=settings.document_form == "openapi"
        )
        self._records = MarketRecords(exchange, daily_usd)
        self._balances = Balances(exchange)
        self._notices = Notices(exchange)
        self._scoring = ScoringRequests(exchange)
        self._rewards = Rewards(exchange, daily_usd, settings.seed)
        self._rebates = Rebates(exchange)
        self._builders = Builders(exchange, keys)

    def begin(self, agenda: Agenda, now: Instant) -> None:
        """Put on the agenda what happens by time."""
        self._rewards.begin(agenda, now)

    def note(self, happening: Happening, now: Instant) -> None:
        """Hear what the exchange has done."""
        self.history.note(happening, now)
        self._notices.note(happening, now)

    def public(self) -> tuple[PublicRoute, ...]:
        """Return what anybody may ask."""
        quotes, records, rewards = self._quotes, self._records, self._rewards
        return (
            Route("GET", "/auth/validate-readonly-api-key", self._keys.validate_readonly),
            Route("GET", "/price", quotes.price),
            Route("GET", "/prices", quotes.prices),
            Route("POST", "/prices", quotes.prices),
            Route("GET", "/midpoint", quotes.midpoint),
            Route("GET", "/midpoints", quotes.midpoints),
            Route("POST", "/midpoints", quotes.midpoints),
            Route("GET", "/spread", quotes.spread),
            Route("GET", "/spreads", quotes.spreads),
            Route("POST", "/spreads", quotes.spreads),
            Route("GET", "/last-trade-price", quotes.last_trade),
            Route("GET", "/last-trades-prices", quotes.last_trades),
            Route("POST", "/last-trades-prices", quotes.last_trades),
            Route("GET", "/prices-history", self.history.read),
            Route("GET", "/markets", records.markets),
            Route("GET", "/simplified-markets", records.simplified),
            Route("GET", "/sampling-markets", records.sampling),
            Route("GET", "/sampling-simplified-markets", records.sampling_simplified),
            Route("GET", "/markets/live-activity/*", records.activity),
            Route("GET", "/markets/*", records.market),
            Route("GET", "/rewards/markets/current", rewards.current),
            Route("GET", "/rewards/markets/*", rewards.of_market),
            Route("GET", "/rebates/current", self._rebates.current),
            Route("GET", "/fees/builder-fees/*", self._builders.fees),
            Route("GET", "/builder/trades", self._builders.trades),
        )

    def private(self) -> tuple[PrivateRoute, ...]:
        """Return what the holder of a key may ask."""
        keys, rewards, builders = self._keys, self._rewards, self._builders
        return (
            Route("GET", "/auth/ban-status/closed-only", self._closed_only),
            Route("POST", "/auth/readonly-api-key", keys.create_readonly),
            Route("GET", "/auth/readonly-api-keys", keys.list_readonly),
            Route("DELETE", "/auth/readonly-api-key", keys.delete_readonly),
            Route("POST", "/auth/builder-api-key", builders.create_key),
            Route("GET", "/auth/builder-api-key", builders.list_keys),
            Route("DELETE", "/auth/builder-api-key", builders.revoke_key),
            Route("GET", "/balance-allowance", self._balances.read),
            Route("GET", "/balance-allowance/update", self._balances.update),
            Route("GET", "/data/pre-migration-orders", _none),
            Route("GET", "/notifications", self._notices.ls),
            Route("DELETE", "/notifications", self._notices.drop),
            Route("GET", "/order-scoring", self._scoring.one),
            Route("POST", "/orders-scoring", self._scoring.many),
            Route("GET", "/rewards/user", rewards.earnings),
            Route("GET", "/rewards/user/total", rewards.total),
            Route("GET", "/rewards/user/percentages", rewards.percentages),
            Route("GET", "/rewards/user/markets", rewards.of_markets),
        )

    def _closed_only(self, request: Request, who: Credentials, now: Instant) -> Answer:
        wallets = (maker_address(kind, who.address) for kind in WALLET_KINDS)
        standing, _ = self._standings.of(*wallets)
        return ok(ClosedOnly(closed_only=standing != "normal"))


def _none(request: Request, who: Credentials, now: Instant) -> Answer:
    """Handle GET /data/pre-migration-orders: this venue has not lived before April 2026."""
    return ok(Page[object](data=(), next_cursor=CURSOR_END, limit=PAGE_ROWS_MAX, count=0))

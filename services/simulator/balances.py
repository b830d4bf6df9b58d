"""What the venue believes of wallets: balances through a cache, allowances of spenders.

The venue reads wallets from the chain and keeps what it has read. Here what a wallet gets is seen
after a lag, or at once after GET /balance-allowance/update; what it gives is seen at once, because
the venue itself matched it. So the cache is never above the truth, and an order that it admits is
covered.

Source: https://docs.polymarket.com/trading/wallets-auth (2026-09-28); that the balance of a freshly
funded wallet reads 0 until it is updated: https://github.com/Polymarket/py-clob-client-v2/issues/74.
"""

from services.simulator.accounts import COLLATERAL, Account
from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.spenders import SPENDERS
from services.simulator.wallet_query import wallet_of
from shared.units import Instant
from shared.venue.account_wire import BalanceAllowance
from shared.venue.auth import Credentials

ASSET_TYPE_TEXT = "invalid asset type"
TOKEN_TEXT = "token_id is required"  # noqa: S105  (a refusal, not a secret)


class Balances:
    """Handles GET /balance-allowance and its update."""

    def __init__(self, exchange: Exchange) -> None:
        """Set where accounts are."""
        self._exchange = exchange

    def read(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /balance-allowance."""
        asset = request.query.get("asset_type", "COLLATERAL")
        spenders = SPENDERS.get(asset)
        if spenders is None:
            return error(400, ASSET_TYPE_TEXT)
        token = COLLATERAL if asset == "COLLATERAL" else request.query.get("token_id", "")
        if asset != "COLLATERAL" and not token:
            return error(400, TOKEN_TEXT)
        account = self._account(request, who)
        is_conditional = asset != "COLLATERAL"
        return ok(
            BalanceAllowance(
                balance=str(self._exchange.accounts.visible(account, token)),
                allowances={
                    spender: str(account.allowance(spender, conditional=is_conditional))
                    for spender in spenders
                },
            )
        )

    def update(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /balance-allowance/update: read the chain anew, and answer as a read."""
        self._exchange.accounts.see(self._account(request, who))
        return self.read(request, who, now)

    def _account(self, request: Request, who: Credentials) -> Account:
        return self._exchange.accounts.get(wallet_of(request, who))

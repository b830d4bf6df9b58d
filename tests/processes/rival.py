"""Somebody else at the simulator, who sells into a group's bids when a test says so."""

from py_clob_client_v2.exceptions import PolyApiException

from shared.units import SHARE_E6
from tests.builders.clob_server import ListedMarket, Trader
from tests.processes.venue import VenueUnderTest
from tests.processes.wire_log import WireRecord

NUMBER = 4_242
"""Of the key: no group's throwaway key is so small."""

SHARES = 1_000_000
"""More than all books hold."""

EOA = 0

MISSED = "no orders found to match"


class Rival:
    """An account with shares of whatever it sells."""

    def __init__(self, venue: VenueUnderTest) -> None:
        """Open the account."""
        self._venue = venue
        self._trader = Trader(venue, EOA, NUMBER)

    def sells_into(self, bid: WireRecord) -> None:
        """Sell at a resting bid's price whatever the book takes: all better bids, then this one.

        One that has been cancelled meanwhile is missed, as any taker misses some.
        """
        token = bid["token"]
        given = {"account": self._trader.wallet, "token": token, "amount": SHARES * SHARE_E6}
        self._venue.ask("POST", "/admin/balance", given)
        market = ListedMarket(bid["market"], (token, ""), "", "v1", neg_risk=False)
        try:
            self._trader.take(market, "SELL", SHARES, float(bid["price"]), order_type="FAK")
        except PolyApiException as refusal:
            if MISSED not in str(refusal.error_msg):
                raise

"""Whether both price sockets tell the same, and which of them carries (VEN-5).

One oracle stands behind both: where they differ nobody knows which is right, the asset is
unverified and rests until they agree again. A switch to the older socket is told to people, and
refused credentials too; neither stops anything, since the prices are the same oracle's. How old
they are is KS-3's to judge.
"""

from collections.abc import Iterator

from services.risk.samples import Sample
from services.risk.source import Notice
from shared.effects import Effect, Message, Received
from shared.facts import FeedStatus, PriceCarrier
from shared.identifiers import Asset
from shared.switches import ABNORMAL_MARKET
from shared.topics import FEED_PRICE
from shared.units import Instant

SUBJECT = "sockets"
"""Tells this condition of an asset from a price that moved too far."""


class PriceSocketsSource:
    """Draws from the newest status of the price feed."""

    def __init__(self) -> None:
        """Know nothing: without prices KS-3 holds."""
        self._rows: tuple[PriceCarrier, ...] = ()
        self._fallen: dict[Asset, str] = {}

    def hear(self, message: Message, now: Instant) -> None:
        """Take the price feed's status; who else tells carriers is not asked."""
        if not isinstance(message, Received) or message.component != FEED_PRICE:
            return
        if isinstance(message.body, FeedStatus):
            self._rows = message.body.carriers

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield one sample an asset, and what people should know."""
        for row in self._rows:
            why = f"{row.asset} is unverified, its sockets differ: {row.doubt}" if row.doubt else ""
            yield Sample(ABNORMAL_MARKET, SUBJECT, ("asset", row.asset), bool(why), why)
            yield from self._notices(row)

    def _notices(self, row: PriceCarrier) -> Iterator[Notice]:
        runbook = ABNORMAL_MARKET.runbook
        fallen = row.why if row.socket == "legacy" else ""
        before = self._fallen.get(row.asset, "")
        if fallen and not before:
            text = f"{row.asset} prices come over the older socket: {fallen}"
            yield Notice("warning", f"price_socket {row.asset}", text, runbook)
        if before and not fallen:
            text = f"{row.asset} prices come over the current socket again"
            yield Notice("info", f"price_socket_back {row.asset}", text, runbook)
        self._fallen[row.asset] = fallen
        if row.refused:
            text = "the current price socket refuses our credentials, and is not tried in a loop"
            yield Notice("critical", "price_credentials", text, runbook)

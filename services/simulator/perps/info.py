"""`POST /info`: the state of perpetual futures for whoever asks.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (2026-09).
"""

from services.simulator.answers import Answer, ok
from services.simulator.edge import Request
from services.simulator.perps.numbers import DEEP_LEVELS, REST, PerpNumbers
from shared.identifiers import Asset
from shared.perps.wire import (
    BOOK_CHANNEL,
    INFO_REQUEST,
    PerpAsset,
    PerpMeta,
)
from shared.units import Instant
from shared.venue.faults import Malformed
from shared.venue.wire import decode

CONTEXTS = "metaAndAssetCtxs"
_SIZE_PLACES = 5
_REFUSED = 422


class PerpInfo:
    """What is answered."""

    def __init__(self, numbers: PerpNumbers) -> None:
        """Set what is told of."""
        self._numbers = numbers

    def answer(self, request: Request, now: Instant) -> Answer:
        """Answer a question; a coin that nobody has is `null`, as at the venue."""
        try:
            wish = decode(INFO_REQUEST, request.body, "info request")
        except Malformed:
            wish = None
        numbers = self._numbers
        if wish is not None and wish.type == CONTEXTS:
            assets = [Asset(coin.lower()) for coin in numbers.coins()]
            universe = tuple(PerpAsset(coin, _SIZE_PLACES) for coin in numbers.coins())
            contexts = tuple(numbers.context(asset, REST, now) for asset in assets)
            return ok((PerpMeta(universe), contexts))
        if wish is not None and wish.type == BOOK_CHANNEL:
            asset = numbers.asset(wish.coin)
            if asset is None:
                return ok(None)
            return ok(numbers.book(asset, REST, DEEP_LEVELS, now))
        text = b"Failed to deserialize the JSON body into the target type"
        return Answer(_REFUSED, text, content_type="text/plain")

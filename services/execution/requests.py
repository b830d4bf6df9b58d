"""Requests that are under way: what each one asked, so that its answer finds its way back.

Numbers them by counting, builds them for their lane, and forgets them with their answer.
Lanes share nothing: a cancel never waits behind a post or a read.
"""

import msgspec

from services.execution.budgets.address_windows import AddressWindows
from shared.effects import HttpRequest
from shared.identifiers import ConditionId, OrderHash, TokenId
from shared.units import NS_PER_MS, BootNs

POST_LANE = "post"
CANCEL_LANE = "cancel"
READ_LANE = "read"
CHAIN_LANE = "chain"


class PostAsk(msgspec.Struct, frozen=True):
    """A post of one order."""

    order_id: OrderHash


class BatchAsk(msgspec.Struct, frozen=True):
    """A post of several orders, in the order of their places in it."""

    order_ids: tuple[OrderHash, ...]


class CancelAllAsk(msgspec.Struct, frozen=True):
    """A cancel of everything; ours that it is known to concern."""

    order_ids: tuple[OrderHash, ...] = ()


class CancelMarketAsk(msgspec.Struct, frozen=True):
    """A cancel of everything in one market; ours that it is known to concern."""

    market: ConditionId
    order_ids: tuple[OrderHash, ...] = ()


class CancelAsk(msgspec.Struct, frozen=True):
    """A cancel of some orders."""

    order_ids: tuple[OrderHash, ...]


class OpenOrdersAsk(msgspec.Struct, frozen=True):
    """One page of a read of all open orders."""


class TradesAsk(msgspec.Struct, frozen=True):
    """One page of a read of trades."""


class LookAsk(msgspec.Struct, frozen=True):
    """A question after one order."""

    order_id: OrderHash


class BalanceAsk(msgspec.Struct, frozen=True):
    """A question after the balance of one token.

    Attributes:
        is_update: Whether the venue is to read the chain anew.
        is_chain: Whether a node of the chain is asked, and not the venue.
    """

    token: TokenId
    is_update: bool = False
    is_chain: bool = False


class AllowanceAsk(msgspec.Struct, frozen=True):
    """A question after balance and allowances of one kind of asset.

    Attributes:
        is_update: Whether it only makes the venue read the chain anew.
    """

    asset: str
    is_update: bool = False


class VersionAsk(msgspec.Struct, frozen=True):
    """A question after the version of orders that the venue takes."""


CancelsAsk = CancelAllAsk | CancelMarketAsk | CancelAsk
"""Whatever cancels."""

ReadAsk = OpenOrdersAsk | TradesAsk | LookAsk | BalanceAsk | AllowanceAsk | VersionAsk
"""Whatever reads."""

Ask = PostAsk | BatchAsk | CancelsAsk | ReadAsk


class Requests:
    """All requests without an answer.

    Attributes:
        windows: What has been asked lately, of each endpoint.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._last = 0
        self._asks: dict[int, Ask] = {}
        self.windows = AddressWindows()

    def number(self, ask: Ask) -> int:
        """Return a new request id for an ask."""
        self._last += 1
        self._asks[self._last] = ask
        return self._last

    def take(self, request_id: int) -> Ask | None:
        """Return what a request asked and forget it; None for one that is not known."""
        return self._asks.pop(request_id, None)

    def cancel(
        self, ask: Ask, path: str, body: bytes, deadline_ms: int, now_ns: BootNs
    ) -> HttpRequest:
        """Return a cancel; every cancelling request is a DELETE."""
        self.windows.count("DELETE", path, now_ns)
        deadline_ns = BootNs(now_ns + deadline_ms * NS_PER_MS)
        return HttpRequest(self.number(ask), CANCEL_LANE, "DELETE", path, body, deadline_ns)

    def may_read(self, path: str, now_ns: BootNs) -> bool:
        """Whether a read stays within our share of the venue's limits."""
        return self.windows.has_room("GET", path, now_ns)

    def read(self, ask: Ask, path: str, deadline_ms: int, now_ns: BootNs) -> HttpRequest:
        """Return a read."""
        self.windows.count("GET", path, now_ns)
        deadline_ns = BootNs(now_ns + deadline_ms * NS_PER_MS)
        return HttpRequest(self.number(ask), READ_LANE, "GET", path, b"", deadline_ns)

    def call(
        self, ask: Ask, path: str, body: bytes, deadline_ms: int, now_ns: BootNs
    ) -> HttpRequest:
        """Return a call of the chain's node, which the gateway tells nothing of our credentials."""
        deadline_ns = BootNs(now_ns + deadline_ms * NS_PER_MS)
        return HttpRequest(self.number(ask), CHAIN_LANE, "POST", path, body, deadline_ns)

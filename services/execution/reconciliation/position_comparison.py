"""What the venue, or the chain, says we hold of a token against what our trades make.

While trades settle, what is held lies between two numbers: the least and the most that
their ends can make. A balance outside them counts as
different only when the read was sent a grace after the last change of the token and after
the venue had read the chain anew: its cache lags, and has been seen to lag for weeks.
Source: https://github.com/Polymarket/py-clob-client/issues/274 and /287.
"""

from typing import Literal

import msgspec

from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.agreement import Difference
from services.execution.reconciliation.balance_reads import BalanceRead
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, BootNs, SizeE6

Verdict = Literal["unread", "agrees", "doubted", "differs"]
"""`doubted` differs, but its read proves nothing yet."""


class Held(msgspec.Struct, frozen=True):
    """What may be held of a token, 1e-6 share, both ends included.

    Attributes:
        matched_e6: What it comes to once everything has settled.
    """

    low_e6: int
    high_e6: int
    matched_e6: int


class _Check(msgspec.Struct):
    """One token's newest evidence."""

    verdict: Verdict = "unread"
    read_ns: BootNs = BootNs(0)
    balance_e6: SizeE6 | None = None
    updated_ns: BootNs = BootNs(0)
    held: Held | None = None


class PositionComparison:
    """The newest balance of each token, and what it says."""

    def __init__(
        self,
        positions: Positions,
        register: OrderRegister,
        changed_ns: dict[TokenId, BootNs],
        *,
        grace_ms: int,
        tolerance_e6: int,
        born_ns: BootNs,
        is_cached: bool,
    ) -> None:
        """Begin with no balance known.

        Args:
            positions: What trades make.
            register: What orders count as filled and no trade has told.
            changed_ns: When the legs of a token last changed; kept by the reconciler.
            grace_ms: Of the venue's cache.
            tolerance_e6: What may differ, 1e-6 share.
            born_ns: Since when changes have been watched.
            is_cached: Whether who is asked has to be told to read the chain anew.
        """
        self.is_cached = is_cached
        self._positions = positions
        self._register = register
        self._changed_ns = changed_ns
        self._grace_ns = grace_ms * NS_PER_MS
        self._tolerance_e6 = tolerance_e6
        self._born_ns = born_ns
        self._checks: dict[TokenId, _Check] = {}

    def held(self, token: TokenId) -> Held:
        """Return between what the shares of a token may lie now."""
        position = self._positions.of_token(token)
        return Held(
            position.confirmed_e6 - self._register.unseen_e6(token, "SELL"),
            position.most_e6 + self._register.unseen_e6(token, "BUY"),
            position.matched_e6,
        )

    def take(self, read: BalanceRead) -> None:
        """Take an answer: an update's moment, or a balance; None says nothing."""
        check = self._checks.setdefault(read.token, _Check())
        if read.is_update:
            if not read.trouble:
                check.updated_ns = read.answered_ns
            return
        if read.balance_e6 is None:
            return
        check.read_ns, check.balance_e6 = read.sent_ns, read.balance_e6
        check.held = held = self.held(read.token)
        tolerance_e6 = self._tolerance_e6
        low_e6, high_e6 = held.low_e6 - tolerance_e6, held.high_e6 + tolerance_e6
        if low_e6 <= read.balance_e6 <= high_e6:
            check.verdict = "agrees"
            return
        settled_ns = self._settled_ns(read.token)
        if self.is_cached:
            is_fresh = check.updated_ns > settled_ns and read.sent_ns > check.updated_ns
        else:
            is_fresh = read.sent_ns > settled_ns
        check.verdict = "differs" if is_fresh else "doubted"

    def proven_e6(self, token: TokenId) -> SizeE6 | None:
        """Return the newest balance where it agrees or is proven to differ; None in doubt."""
        check = self._checks.get(token)
        if check is None or check.verdict not in ("agrees", "differs"):
            return None
        return check.balance_e6

    def wants_update(self, token: TokenId, now_ns: BootNs) -> bool:
        """Whether the venue is to be asked to read the chain anew for a doubted balance."""
        check = self._checks.get(token)
        if not self.is_cached or check is None or check.verdict != "doubted":
            return False
        settled_ns = self._settled_ns(token)
        return now_ns > settled_ns >= check.updated_ns

    def verdict(self, token: TokenId, since_ns: BootNs) -> Verdict:
        """Return what the newest read says, if it was sent since a moment."""
        check = self._checks.get(token)
        if check is None or check.read_ns < since_ns or self._settled_after(token, check):
            return "unread"
        return check.verdict

    def surplus_e6(self, token: TokenId) -> int:
        """Return by how much a differing balance is above (or below) what it may be."""
        check = self._checks[token]
        assert check.balance_e6 is not None, "only a balance differs"
        assert check.held is not None, "a balance was compared"
        if check.balance_e6 > check.held.high_e6:
            return check.balance_e6 - check.held.high_e6
        return min(0, check.balance_e6 - check.held.low_e6)

    def is_gone(self, token: TokenId) -> bool:
        """Whether the newest balance of a token is nothing, though it should be something."""
        check = self._checks.get(token)
        if check is None or check.balance_e6 is None or check.verdict == "agrees":
            return False
        return check.balance_e6 <= self._tolerance_e6

    def difference(self, token: TokenId) -> Difference:
        """Return a differing token with both numbers."""
        check = self._checks[token]
        assert check.held is not None, "a balance was compared"
        whose = "as the venue believes" if self.is_cached else "on the chain"
        theirs = f"{check.balance_e6} 1e-6 shares {whose}"
        return Difference(f"position in {token}", f"{check.held.matched_e6}", theirs)

    def forget(self, wanted: frozenset[TokenId]) -> None:
        """Drop the evidence of tokens that are not asked for any more."""
        for token in tuple(self._checks):
            if token not in wanted:
                del self._checks[token]

    def _settled_ns(self, token: TokenId) -> BootNs:
        """Return when the venue's cache should have seen the last change of a token."""
        changed_ns = max(self._changed_ns.get(token, BootNs(0)), self._born_ns)
        return BootNs(changed_ns + self._grace_ns)

    def _settled_after(self, token: TokenId, check: _Check) -> bool:
        """Whether the legs of a token have changed since its balance was asked for."""
        return self._changed_ns.get(token, BootNs(0)) >= check.read_ns

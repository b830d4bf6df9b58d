"""The lease: execution asks, risk grants, to one incarnation at a time.

Decides whether an ask may be echoed; sends nothing. The lease runs from the asker's own
stamp, so an echo that arrives late is worth less, never more. Counted from receipt, a
process stopped for ten seconds took eighty stale pings for eighty fresh leases (measured).

Rules, each a test that fails without it: the newest ask evaluated is echoed; only an ask
inside the answer to a ping of this risk, sent after this risk last woke, counts; another
incarnation gets nothing until the first has exited.
"""

from shared.control import Lease, Pong
from shared.identifiers import Incarnation
from shared.trading_state import TradingState
from shared.units import NS_PER_MS, BootNs

AHEAD_NS_MAX = 50 * NS_PER_MS
"""How far an ask may lie ahead of the turn that reads it: both read one clock, but a turn reads
it once, before it drains its messages. A stamp farther ahead would be a lease of any length."""


class LeaseGrantor:
    """Who holds the lease, and until when at the latest.

    Attributes:
        granted_until_ns: End of the longest lease that anybody may hold. A risk that has just
            started counts one as granted at its start: its forerunner may have.
        holder: Incarnation that was granted to and has not exited.
    """

    def __init__(self, lease_ms: int, lease_ns: int, now_ns: BootNs) -> None:
        """Begin with the lease that the forerunner may have granted just now."""
        self.granted_until_ns = BootNs(now_ns + lease_ns)
        self.holder: Incarnation | None = None
        self._lease_ms = lease_ms
        self._lease_ns = lease_ns
        self._woke_ns = now_ns
        self._asked: dict[Incarnation, BootNs] = {}

    def ask(self, pong: Pong, own_incarnation: Incarnation) -> None:
        """Take the ask of an execution's pong, if it answers a ping that counts."""
        if pong.execution is None or pong.risk_incarnation != own_incarnation:
            return
        if pong.ping_id == 0 or pong.ping_sent_ns < self._woke_ns:
            return
        asked = pong.execution.asked_ns
        self._asked[pong.incarnation] = max(asked, self._asked.get(pong.incarnation, BootNs(0)))

    def woke(self, now_ns: BootNs) -> None:
        """Forget every ask: this process was away, and answers to older pings prove nothing."""
        self._woke_ns = now_ns
        self._asked.clear()

    def exited(self, incarnation: Incarnation) -> None:
        """Take the exit of an execution; a new one may be granted to afterwards."""
        self._asked.pop(incarnation, None)
        if self.holder == incarnation:
            self.holder = None

    def may_hold(self, incarnation: Incarnation) -> bool:
        """Tell whether this incarnation is the one that may be granted to."""
        return self.holder is None or self.holder == incarnation

    def has_asked(self, incarnation: Incarnation, now_ns: BootNs) -> bool:
        """Tell whether there is an ask whose lease would not be over already."""
        asked = self._asked.get(incarnation)
        if asked is None or asked > now_ns + AHEAD_NS_MAX:
            return False
        return now_ns < asked + self._lease_ns

    def grant(
        self, incarnation: Incarnation, epoch: int, state: TradingState, now_ns: BootNs
    ) -> Lease | None:
        """Return the lease for an incarnation now, None when it gets nothing."""
        if state not in ("ACTIVE", "REDUCING"):
            return None
        if not self.may_hold(incarnation) or not self.has_asked(incarnation, now_ns):
            return None
        asked = self._asked[incarnation]
        self.holder = incarnation
        self.granted_until_ns = max(self.granted_until_ns, BootNs(asked + self._lease_ns))
        return Lease(incarnation, asked, self._lease_ms, epoch, state)

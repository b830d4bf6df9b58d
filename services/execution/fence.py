"""Getting to zero: the three answers to a fence, and our own proof that nothing is left.

BLOCKED is given in the very turn in which the fence is heard and touches neither network
nor disk. QUIET follows when no post is under way and what was withheld is journaled.
ZERO is our own proof, by the same rules as risk's. Start, stop, panic and a self-fence go
the same way, without anybody to answer to.
"""

from services.execution.order_register import OrderRegister
from shared.control import FenceAnswer
from shared.identifiers import Incarnation
from shared.proof import ProofOfZero
from shared.units import BootNs, Instant

OWN_KEY = "own"
"""The one API key whose orders there are: another one's must be proven dead beforehand."""


class Zeroing:
    """One way to zero.

    Attributes:
        cause: Why, for people.
        began_ns: When placements were blocked for it.
    """

    def __init__(
        self, cause: str, fence_id: int, incarnation: Incarnation, read_gap_ns: int, now: Instant
    ) -> None:
        """Begin: from now on nothing is placed, which is our own answer (a)."""
        self.cause = cause
        self.began_ns = now.boot_ns
        self._proof = ProofOfZero(
            fence_id,
            read_gap_ns=read_gap_ns,
            lease_over_ns=None,
            intents_over_ns=None,
            keys=(OWN_KEY,),
        )
        self._proof.execution_known(incarnation)
        self._proof.execution_blocked(incarnation, fence_id, now.boot_ns)

    @property
    def zero_ns(self) -> BootNs | None:
        """When zero was proven; None while it is not."""
        return self._proof.zero_ns

    def report(self, register: OrderRegister, now: Instant) -> None:
        """Tell the proof which intents may still arrive."""
        unresolved, until_ns = register.unresolved(now.boot_ns)
        self._proof.intents_reported(unresolved, until_ns, now.boot_ns)

    def wants_read(self, now: Instant) -> bool:
        """Whether a read of the open orders, sent now, would bring the proof forward."""
        return self._proof.read_may_be_sent(OWN_KEY, now.boot_ns)

    def take_read(self, sent_ns: BootNs, answered_ns: BootNs, open_orders: int | None) -> None:
        """Take one whole read of the open orders; None when nobody said."""
        self._proof.read_answered(
            OWN_KEY, sent_ns=sent_ns, answered_ns=answered_ns, open_orders=open_orders
        )

    def waits_for(self, now: Instant) -> str:
        """Say in plain words what is still missing."""
        return self._proof.missing(now.boot_ns)


class FenceAnswers:
    """What is answered to the newest fence, in every pong until a newer one."""

    def __init__(self) -> None:
        """Begin without a fence to answer."""
        self.answer: FenceAnswer | None = None

    def block(self, risk_incarnation: Incarnation, fence_id: int, now: Instant) -> None:
        """Answer BLOCKED: the core has just stopped placing."""
        self.answer = FenceAnswer(risk_incarnation, fence_id, now.boot_ns, BootNs(0), BootNs(0))

    def advance(self, *, is_quiet: bool, zero_ns: BootNs | None, now: Instant) -> None:
        """Answer QUIET and ZERO once they hold; an answer that was given stands."""
        given = self.answer
        if given is None:
            return
        quiet_ns = given.quiet_ns or (now.boot_ns if is_quiet else BootNs(0))
        proven_ns = given.zero_ns or (zero_ns or BootNs(0) if quiet_ns else BootNs(0))
        self.answer = FenceAnswer(
            given.risk_incarnation, given.fence_id, given.blocked_ns, quiet_ns, proven_ns
        )

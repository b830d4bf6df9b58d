"""A component's end of the control line: which ping to answer, and with what.

Pure. The loop hands every ping to the core first and asks for a pong afterwards, so that a
pong's answers are those to the newest fence. Several pings at once get one pong, to the
newest: each repeats the whole order. While no ping is heard a hello goes out, so that a
restarted risk finds everybody.
"""

from typing import Literal, Protocol, runtime_checkable

import msgspec

from shared.control import ExecutionPong, InputAge, Ping, Pong
from shared.identifiers import Component, Incarnation
from shared.units import NS_PER_MS, BootNs, Instant

HELLO_EVERY_NS = 200 * NS_PER_MS
"""Two pings long: a line that is only late by one sends no hello."""

HealthState = Literal["starting", "ready", "sick", "stopping"]


@runtime_checkable
class ReportsHealth(Protocol):
    """A core that says how it is; one that does not is ready."""

    def health(self) -> tuple[HealthState, str]:
        """Return the state and, unless ready, its reason."""
        ...


@runtime_checkable
class AsksForLease(Protocol):
    """Execution's core."""

    def execution_pong(self, now: Instant) -> ExecutionPong:
        """Return execution's part of a pong; `asked_ns` is `now.boot_ns`."""
        ...


class Identity(msgspec.Struct, frozen=True):
    """What stays the same through a run and goes into every pong."""

    component: Component
    incarnation: Incarnation
    pid: int
    build_hash: str
    config_hash: str
    dependency_hash: str


class LoopFacts(msgspec.Struct, frozen=True):
    """What the loop knows of itself.

    Attributes:
        queue_depth: Facts that the last turn took in.
        loop_lag_ns: Longest turn since the last pong.
    """

    queue_depth: int
    loop_lag_ns: int
    inputs: tuple[InputAge, ...]


class ComponentLine:
    """What has been heard of risk, and the pong that answers it."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._unanswered: Ping | None = None
        self._newest: Ping | None = None
        self._quiet_since_ns = BootNs(0)

    def hear(self, ping: Ping, now: Instant) -> None:
        """Take a ping in; the newest of a batch is the one that is answered."""
        self._unanswered = ping
        self._newest = ping
        self._quiet_since_ns = now.boot_ns

    def owes_pong(self, now: Instant) -> bool:
        """Tell whether a ping waits for its answer, or a hello is due."""
        if self._unanswered is not None:
            return True
        return now.boot_ns - self._quiet_since_ns >= HELLO_EVERY_NS

    def pong(
        self,
        now: Instant,
        facts: LoopFacts,
        health: tuple[HealthState, str],
        execution: ExecutionPong | None,
    ) -> Pong:
        """Make the pong that is owed; what was heard last goes into a hello too."""
        answered, newest = self._unanswered, self._newest
        self._unanswered = None
        self._quiet_since_ns = now.boot_ns
        identity = self._identity
        return Pong(
            component=identity.component,
            incarnation=identity.incarnation,
            pid=identity.pid,
            risk_incarnation=newest.risk_incarnation if newest else Incarnation(0),
            ping_id=answered.ping_id if answered else 0,
            ping_sent_ns=answered.sent_ns if answered else BootNs(0),
            build_hash=identity.build_hash,
            config_hash=identity.config_hash,
            dependency_hash=identity.dependency_hash,
            state=health[0],
            reason=health[1],
            epoch=newest.epoch if newest else 0,
            switch_version=newest.switch_version if newest else 0,
            queue_depth=facts.queue_depth,
            loop_lag_ns=facts.loop_lag_ns,
            inputs=facts.inputs,
            execution=execution,
        )

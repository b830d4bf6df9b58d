"""What risk tells: transitions for the trail and the bus, alerts for people. Pure.

Gathers effects; the core returns them at the end of its turn. An alert of one name is told at
most once in a while, since a condition that flaps must not drown the one that matters.
"""

from typing import Literal

from services.risk.writes import Writes
from shared.effects import Effect, Log, Publish
from shared.facts import Alert, Transition
from shared.risk_schema import AuditEntry
from shared.units import NS_PER_S, BootNs, Instant

Severity = Literal["info", "warning", "critical"]

ALERT_AGAIN_NS = 10 * NS_PER_S
"""The same alert is not repeated sooner."""

ALERT_NAMES_MAX = 256
"""Names of alerts remembered; they come from tables, so there are few."""


class Notes:
    """Effects that tell, gathered in this turn."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes
        self._effects: list[Effect] = []
        self._alerted: dict[str, BootNs] = {}

    def transition(
        self,
        what: str,
        before: str,
        after: str,
        cause: str,
        now: Instant,
        *,
        scope: str = "account",
        actor: str = "risk",
        kind: str = "transition",
    ) -> None:
        """Note a state that changed, or what an operator did, in trail, bus and log."""
        self._writes.audit(AuditEntry(kind, actor, what, scope, before, after, cause), now.wall_ns)
        fact = Transition(what, scope, before, after, cause, actor)
        self._effects.append(Publish("risk.transition", fact, now.monotonic_ns))
        fields = {"scope": scope, "before": before, "after": after, "cause": cause, "actor": actor}
        self._effects.append(Log(f"risk.{what}", fields))

    def alert(
        self,
        severity: Severity,
        name: str,
        text: str,
        runbook: str,
        now: Instant,
    ) -> None:
        """Tell people, unless they were told just now."""
        told_ns = self._alerted.get(name)
        if told_ns is not None and now.boot_ns < told_ns + ALERT_AGAIN_NS:
            return
        if len(self._alerted) >= ALERT_NAMES_MAX:
            self._alerted.clear()
        self._alerted[name] = now.boot_ns
        fact = Alert(severity, name, text, runbook)
        self._effects.append(Publish("risk.alert", fact, now.monotonic_ns))
        level = "critical" if severity == "critical" else "warning"
        self._effects.append(Log(f"risk.alert.{name}", {"text": text}, level))

    def take(self) -> list[Effect]:
        """Return what was gathered, and begin anew."""
        effects, self._effects = self._effects, []
        return effects

"""The dashboard's decisions: when it looks, what it says to whom, what it alerts.

Looks twice a second while a page is open and once a second else; each look hands out the whole
page, health and metrics anew. Asks nothing of anybody but snapshots after a gap, and the ledger.
"""

from typing import Literal

import msgspec

from services.dashboard import data_panel, market_panel, metrics, page
from services.dashboard.curves import Curve, Samples
from services.dashboard.health import Check, Counts, evidence_limits_ms, look
from services.dashboard.heard import Heard
from services.dashboard.messages import LedgerRead, LedgerUnread, Serving, Show, Watched
from services.dashboard.model import History, Latency, Page
from services.dashboard.money import Money
from shared.config import Config
from shared.effects import Effect, Exit, Gap, Log, Message, Publish, Received, Stop
from shared.facts import Alert, FeedStatus, RiskStatus
from shared.identifiers import Incarnation
from shared.switches import RESOURCES
from shared.topics import DASHBOARD, FEED_MARKET, RISK
from shared.units import NS_PER_MS, NS_PER_S, NS_PER_US, Instant, MonotonicNs

LOOK_NS = NS_PER_S
LOOK_WATCHED_NS = NS_PER_S // 2
LOOK_UNHURRIED_NS = 3 * NS_PER_S // 2
"""While risk says that the host is short of resources (CB-5); the server waits two seconds."""

JUDGE_NS = 750 * NS_PER_MS
"""Between two countings of the checks: one a second, however many pages are open."""

RUNBOOK = "health-check"

MEASURES = {
    "venue": "from the decision to post to the venue's answer",
    "data": "age of the market feed's newest evidence, each time that it speaks",
    "loop": "longest turn of any process's loop between two answers to risk",
}


class DashboardCore:
    """The whole process, pure."""

    def __init__(self, config: Config, incarnation: Incarnation) -> None:
        """Start with nothing heard."""
        self._config = config
        self._incarnation = incarnation
        self._heard = Heard()
        self._counts = Counts()
        self._limits_ms = evidence_limits_ms(config)
        self._money = Money()
        self._samples = {name: Samples() for name in MEASURES}
        self._profit_curve = Curve(("realised", "unrealised"))
        self._latency_curve = Curve(tuple(MEASURES))
        self._began_ns: MonotonicNs | None = None
        self._next_look_ns = 0
        self._next_judgement_ns = 0
        self._checks: tuple[Check, ...] = ()
        self._watched = Watched(0, 0)
        self._port = 0
        self._trouble = "does not listen yet"
        self._is_unhurried = False

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take in what is told; nothing is shown before the next look."""
        match message:
            case Received():
                self._hear(message, now)
            case Gap():
                self._is_unhurried &= message.component != RISK
                self._heard.doubt(message.component)
            case LedgerRead():
                self._money.take(message, now)
            case LedgerUnread():
                self._money.miss(message)
            case Watched():
                if message.pages > self._watched.pages:
                    self._next_look_ns = 0
                self._watched = message
            case Serving():
                return self._take_serving(message)
            case Stop():
                return [Exit(0, message.cause)]
            case _:
                pass
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Look when it is time."""
        if self._began_ns is None:
            self._began_ns = now.monotonic_ns
        if now.monotonic_ns < self._next_look_ns:
            return []
        every_ns = LOOK_WATCHED_NS if self._watched.pages else LOOK_NS
        if self._is_unhurried:
            every_ns = LOOK_UNHURRIED_NS
        self._next_look_ns = now.monotonic_ns + every_ns
        effects = self._judge(now)
        made = self._page(now)
        effects.append(
            Show(
                page=msgspec.json.encode(made),
                history=self._history(made, now),
                ready=made.verdict.active and all(check.holds for check in self._checks),
                reasons=self._reasons_not_ready(made),
                checks=self._checks,
                metrics=metrics.render(made, self._heard, self._watched),
                at_ns=now.monotonic_ns,
            )
        )
        return effects

    def health(self) -> tuple[Literal["starting", "ready", "sick"], str]:
        """Return whether the page can be reached."""
        if not self._trouble:
            return ("ready", "")
        return ("sick" if self._port else "starting", self._trouble)

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return nothing: an alert is told once."""
        return []

    def _hear(self, fact: Received, now: Instant) -> None:
        answered_ns = self._heard.take(fact)
        if answered_ns is not None:
            self._samples["venue"].add(now.monotonic_ns, answered_ns)
        if isinstance(fact.body, FeedStatus) and fact.component == FEED_MARKET:
            stamps = [row.evident_ns for row in fact.body.evidence if row.evident_ns is not None]
            if stamps:
                self._samples["data"].add(now.monotonic_ns, fact.sent_ns - max(stamps))
        if isinstance(fact.body, RiskStatus):
            self._is_unhurried = any(row.name == RESOURCES.name for row in fact.body.switches)
        if isinstance(fact.body, RiskStatus) and fact.body.components:
            lag_ns = max(row.loop_lag_ns for row in fact.body.components)
            self._samples["loop"].add(now.monotonic_ns, lag_ns)

    def _take_serving(self, serving: Serving) -> list[Effect]:
        was, self._trouble = self._trouble, serving.problem
        self._port = serving.port or self._port
        if not serving.problem:
            return [Log("dashboard.serving", {"port": serving.port})]
        if serving.problem == was:
            return []
        return [Log("dashboard.not_serving", {"why": serving.problem}, "error")]

    def _judge(self, now: Instant) -> list[Effect]:
        """Judge all checks anew each second, and alert those that have turned."""
        looks = look(self._heard, self._limits_ms, now.monotonic_ns)
        if now.monotonic_ns < self._next_judgement_ns:
            self._checks = self._counts.shown(looks)
            return []
        self._next_judgement_ns = now.monotonic_ns + JUDGE_NS
        self._checks, turned = self._counts.judge(looks)
        effects: list[Effect] = []
        for one in turned:
            check = one.check
            words = "has failed repeatedly" if one.failed else "holds again"
            text = f"{check.name} {words}: {check.detail}"
            severity: Literal["warning", "info"] = "warning" if one.failed else "info"
            alert = Alert(severity, f"health {check.name}", text, RUNBOOK)
            self._heard.note(alert, DASHBOARD, now)
            effects.append(Publish("risk.alert", alert, now.monotonic_ns))
            fields = {"check": check.name, "detail": check.detail, "age_ms": check.age_ms}
            event = "health.failed" if one.failed else "health.recovered"
            effects.append(Log(event, fields, severity))
        return effects

    def _reasons_not_ready(self, made: Page) -> tuple[str, ...]:
        """Return why orders may not pass; that none rests is no such reason."""
        reasons = () if made.verdict.active else made.verdict.reasons
        failed = tuple(f"{check.name}: {check.detail}" for check in self._checks if not check.holds)
        return (*reasons, *failed)

    def _page(self, now: Instant) -> Page:
        heard = self._heard
        known = market_panel.Known(heard)
        voices = page.Voices(heard, now)
        run = self._config.run
        began_ns = self._began_ns if self._began_ns is not None else now.monotonic_ns
        return Page(
            at_ms=now.monotonic_ns // NS_PER_MS,
            wall_ms=now.wall_ms,
            incarnation=f"{self._incarnation:016x}",
            heard_since_ms=(now.monotonic_ns - began_ns) // NS_PER_MS,
            profile=run.profile,
            mode=run.mode,
            account=self._config.account.name,
            verdict=page.verdict(voices, now),
            orders=page.orders(heard, now),
            components=page.components(heard, now),
            components_age_ms=page.age_ms(voices.risk, now),
            switches=page.switches(heard, known),
            switches_clear=page.switches_clear(heard),
            feeds=page.feeds(heard, self._limits_ms, now),
            data=data_panel.data(heard, now),
            markets=market_panel.markets(heard, known, now),
            calendar_age_ms=_age(known.calendar_ns, now),
            view_age_ms=_age(known.view_ns, now),
            positions=market_panel.positions_of(heard, known, now),
            profit=self._money.panel(heard, known, now),
            latency=self._latency(now),
            alerts=page.alerts(heard, now),
            transitions=page.transitions(heard),
            refusals=page.refusals(heard, now),
            strategies=page.strategies(heard, now),
            checks=page.check_rows(self._checks),
            recovery=None if voices.risk is None else voices.risk.body.reconnection,
        )

    def _latency(self, now: Instant) -> tuple[Latency, ...]:
        return tuple(
            page.latency(name, MEASURES[name], samples.spread(now.monotonic_ns))
            for name, samples in self._samples.items()
        )

    def _history(self, made: Page, now: Instant) -> bytes:
        """Add a point to the curves when one is due; return them all, or nothing."""
        if not self._profit_curve.is_due(now.monotonic_ns):
            return b""
        curve, latency = self._profit_curve, self._latency_curve
        positions_ms = None if made.positions is None else made.positions.age_ms
        point = self._money.point(made.profit, positions_ms, now)
        curve.add(made.wall_ms, point, now.monotonic_ns)
        p95 = {
            name: None if spread is None else spread.p95_ns // NS_PER_US
            for name, samples in self._samples.items()
            for spread in [samples.spread(now.monotonic_ns)]
        }
        latency.add(made.wall_ms, p95, now.monotonic_ns)
        return msgspec.json.encode(
            History(
                wall_ms=made.wall_ms,
                closings=tuple((row.wall_ms, row.realised_e6) for row in self._money.closings),
                profit_walls_ms=tuple(curve.walls_ms),
                realised_e6=tuple(curve.values["realised"]),
                unrealised_e6=tuple(curve.values["unrealised"]),
                latency_walls_ms=tuple(latency.walls_ms),
                latency_us={name: tuple(latency.values[name]) for name in latency.names},
            )
        )


def _age(stamp_ns: MonotonicNs | None, now: Instant) -> int | None:
    return None if stamp_ns is None else max(0, now.monotonic_ns - stamp_ns) // NS_PER_MS

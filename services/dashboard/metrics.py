"""The numbers for Prometheus, in its text format: what is unknown is left out, never written as 0.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from collections.abc import Iterable

from services.dashboard.heard import Heard
from services.dashboard.messages import Watched
from services.dashboard.model import Page

PREFIX = "interlock_"
MS_PER_S = 1_000
US_PER_S = 1_000_000
E6 = 1_000_000

Sample = tuple[dict[str, str], float | None]


def escape(text: str) -> str:
    """Return a label's value as the format wants it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class Text:
    """A text of metrics in the making."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> None:
        """Add one metric with its samples; one whose every sample is unknown is left out.

        Args:
            name: Without the prefix, unit last; a counter ends in `_total`.
            kind: `gauge` or `counter`.
            meaning: One sentence.
            samples: Labels and value; None is unknown.
        """
        known = [(labels, value) for labels, value in samples if value is not None]
        if not known:
            return
        self._lines.append(f"# HELP {PREFIX}{name} {meaning}")
        self._lines.append(f"# TYPE {PREFIX}{name} {kind}")
        for labels, value in known:
            inside = ",".join(f'{key}="{escape(text)}"' for key, text in labels.items())
            labelled = f"{name}{{{inside}}}" if inside else name
            self._lines.append(f"{PREFIX}{labelled} {value:.12g}")

    def gauge(self, name: str, meaning: str, value: float | None) -> None:
        """Add a gauge without labels."""
        self.family(name, "gauge", meaning, [({}, value)])

    def render(self) -> str:
        """Return the whole text, ended by a line feed."""
        return "\n".join(self._lines) + "\n"


def render(page: Page, heard: Heard, watched: Watched) -> str:
    """Return all metrics of one look."""
    text = Text()
    _verdict(text, page)
    _components(text, page)
    _feeds(text, page)
    _trading(text, page)
    _money(text, page)
    _self(text, page, heard, watched)
    return text.render()


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / MS_PER_S


def _dollars(money_e6: int | None) -> float | None:
    return None if money_e6 is None else money_e6 / E6


def _verdict(text: Text, page: Page) -> None:
    verdict = page.verdict
    text.gauge("active", "1 while risk grants and execution lets orders pass.", verdict.active)
    ready = verdict.active and all(check.holds for check in page.checks)
    text.gauge("ready", "1 while /readyz answers 200.", ready)
    text.family(
        "check_holds",
        "gauge",
        "1 while a check of readiness holds.",
        [({"check": check.name}, check.holds) for check in page.checks],
    )
    text.family(
        "check_age_seconds",
        "gauge",
        "Age of what a check of readiness rests on.",
        [({"check": check.name}, _seconds(check.age_ms)) for check in page.checks],
    )
    text.gauge("risk_heard_age_seconds", "Since risk spoke.", _seconds(verdict.risk_age_ms))
    text.gauge(
        "execution_heard_age_seconds", "Since execution spoke.", _seconds(verdict.execution_age_ms)
    )
    text.gauge("epoch", "Epoch that risk has told of last.", verdict.epoch)
    text.gauge("lease_seconds", "What is left of the lease.", _seconds(verdict.lease_ms))
    text.gauge(
        "dead_man_age_seconds",
        "Since the last acknowledged beat of the venue's dead-man switch was sent.",
        _seconds(verdict.beat_age_ms),
    )
    counts: dict[tuple[str, str], int] = {}
    for row in page.switches or ():
        counts[(row.name, row.kind)] = counts.get((row.name, row.kind), 0) + 1
    text.family(
        "switches_tripped",
        "gauge",
        "Switches that are tripped, by name.",
        [({"switch": name, "kind": kind}, count) for (name, kind), count in counts.items()],
    )


def _components(text: Text, page: Page) -> None:
    rows = page.components or ()
    named = [({"component": row.name}, row) for row in rows]
    text.family(
        "component_up",
        "gauge",
        "1 while a component answers risk.",
        [(label, row.alive) for label, row in named],
    )
    text.family(
        "component_pong_age_seconds",
        "gauge",
        "Since a component last answered risk.",
        [(label, _seconds(row.pong_age_ms)) for label, row in named],
    )
    text.family(
        "component_loop_lag_seconds",
        "gauge",
        "Longest turn of a component's loop between two answers.",
        [(label, row.lag_us / US_PER_S) for label, row in named if row.alive],
    )
    text.family(
        "component_restarts_total",
        "counter",
        "New runs of a component seen since the dashboard started.",
        [(label, row.restarts) for label, row in named],
    )


def _feeds(text: Text, page: Page) -> None:
    named = [({"feed": row.name}, row) for row in page.feeds]
    heard = [(label, row) for label, row in named if row.age_ms is not None]
    text.family(
        "feed_connected",
        "gauge",
        "1 while a feed says that it is connected.",
        [(label, row.connected) for label, row in heard],
    )
    text.family(
        "feed_heard_age_seconds",
        "gauge",
        "Since a feed spoke.",
        [(label, _seconds(row.age_ms)) for label, row in named],
    )
    text.family(
        "feed_evidence_age_seconds",
        "gauge",
        "Age of the newest and of the oldest evidence among a feed's streams.",
        [
            ({**label, "stream": which}, _seconds(value))
            for label, row in named
            for which, value in (("newest", row.newest_ms), ("oldest", row.oldest_ms))
        ],
    )
    text.family(
        "feed_reconnects_total",
        "counter",
        "Connections of a feed after its first, in its run.",
        [(label, row.reconnects) for label, row in heard],
    )
    text.family(
        "feed_rejected_frames_total",
        "counter",
        "Frames that a feed could not understand, in its run.",
        [(label, row.rejected_frames) for label, row in heard],
    )


def _trading(text: Text, page: Page) -> None:
    orders = page.orders
    states = (
        ()
        if orders is None
        else (("open", orders.open), ("in_flight", orders.in_flight), ("unknown", orders.unknown))
    )
    text.family(
        "orders",
        "gauge",
        "Our orders, as execution tells them.",
        [({"state": state}, count) for state, count in states],
    )
    reconciled = None if orders is None else _seconds(orders.reconciled_age_ms)
    text.gauge("reconciled_age_seconds", "Since orders were reconciled.", reconciled)
    rows = () if page.refusals is None else page.refusals.rows
    text.family(
        "orders_denied_total",
        "counter",
        "Orders that the gate has refused in this run of execution.",
        [({"reason": reason}, count) for reason, count in rows],
    )
    markets = page.markets
    text.gauge(
        "markets_valid",
        "Markets that state vouches for.",
        None if markets is None else sum(market.valid for market in markets),
    )
    text.gauge("hot_view_age_seconds", "Since state spoke.", _seconds(page.view_age_ms))
    text.family(
        "latency_seconds",
        "gauge",
        "Spread of a measure over the last minute.",
        [
            ({"measure": row.name, "quantile": name}, None if us is None else us / US_PER_S)
            for row in page.latency
            for name, us in (("0.5", row.median_us), ("0.95", row.p95_us), ("1", row.max_us))
        ],
    )


def _money(text: Text, page: Page) -> None:
    profit = page.profit
    for name, meaning, money_e6 in (
        ("profit_realised_usd", "Over closed holdings.", profit.realised_e6),
        ("profit_realised_today_usd", "Of those paid since 00:00 UTC.", profit.realised_today_e6),
        ("profit_unrealised_usd", "Over positions with a price.", profit.unrealised_e6),
        ("unpriced_cost_usd", "Cost of positions without one.", profit.unpriced_cost_e6),
        ("fees_usd", "Paid so far.", profit.fees_e6),
    ):
        text.gauge(name, meaning, _dollars(money_e6))
    today = profit.today
    for name, meaning, money_e6 in (
        ("lost_today_usd", "By the worse of both counts.", today.lost_e6 if today else None),
        ("daily_loss_limit_usd", "For the present capital.", today.limit_e6 if today else None),
    ):
        text.gauge(name, meaning, _dollars(money_e6))
    text.family("fills_total", "counter", "Fills in the ledger.", [({}, profit.fills)])
    text.gauge("ledger_age_seconds", "Since the ledger was read.", _seconds(profit.age_ms))
    cost = None
    if page.positions is not None:
        cost = sum(row.cost_e6 for row in page.positions.rows)
    text.gauge("positions_cost_usd", "Cost of all open positions.", _dollars(cost))


def _self(text: Text, page: Page, heard: Heard, watched: Watched) -> None:
    text.family(
        "dashboard_facts_total",
        "counter",
        "Facts heard of a component by the dashboard.",
        [({"component": name}, count) for name, count in heard.facts.items() if count],
    )
    text.family("dashboard_gaps_total", "counter", "Gaps in what was heard.", [({}, heard.gaps)])
    text.gauge("dashboard_pages", "Open pages.", watched.pages)
    text.family(
        "dashboard_pages_dropped_total",
        "counter",
        "Pages cut off for reading too slowly.",
        [({}, watched.dropped)],
    )
    text.gauge("dashboard_look_seconds", "Wall clock of this look.", page.wall_ms / MS_PER_S)

"""The page as plain data: what stands on it, each with its age as of `Page.at_ms`.

None means unknown, everywhere: never nothing, never 0. Ages are whole milliseconds; whoever draws
the page lets them grow until the next one comes. Numbers are integers of the system's units.
"""

import msgspec

from shared.facts import Level, Reconnection


class Panel(msgspec.Struct, frozen=True):
    """A part of the page."""


class Verdict(Panel, frozen=True):
    """May we trade, and if not why: the words of `interlock status`.

    Attributes:
        state: Headline.
        active: Whether risk grants and execution lets orders pass, both heard just now.
        age_ms: Of what it rests on: the older of risk's and execution's word; None when one of
            them was never heard.
        lease_ms: What is left of the lease that execution spoke of last, below 0 when it is over;
            None without one.
        dry_run: That no order is ever sent, in words; empty when they are.
    """

    state: str
    active: bool
    reasons: tuple[str, ...]
    age_ms: int | None
    risk_age_ms: int | None
    execution_age_ms: int | None
    epoch: int | None
    fence: str | None
    fence_reason: str
    beat_age_ms: int | None
    lease_ms: int | None
    dry_run: str = ""


class Orders(Panel, frozen=True):
    """Counts, as execution tells them.

    Attributes:
        known: Orders of them that this process can draw; fewer means that it is resynchronising.
    """

    open: int
    in_flight: int
    unknown: int
    known: int
    age_ms: int
    reconciled_age_ms: int | None


class Component(Panel, frozen=True):
    """One process as risk sees it.

    Attributes:
        restarts: New runs seen since the dashboard started.
    """

    name: str
    alive: bool
    state: str
    reason: str
    pid: int
    pong_age_ms: int | None
    lag_us: int
    restarts: int


class SwitchRow(Panel, frozen=True):
    """Something that is tripped, and what ends it.

    Attributes:
        market: Slug, when the scope is a market of the calendar.
        command: What an operator types to end it; empty when it ends by itself.
        runbook: Page in `ops/runbooks`.
    """

    name: str
    scope: str
    market: str
    kind: str
    state: str
    since_wall_ms: int
    reason: str
    evidence: str
    trigger: str
    resumes: str
    command: str
    runbook: str


class Feed(Panel, frozen=True):
    """One feed, with the age of what proves it right.

    Attributes:
        oldest_ms: Of the stream whose evidence is oldest; None when one has none yet.
        newest_ms: Of the stream whose evidence is newest; None when none has any.
    """

    name: str
    age_ms: int | None
    connected: bool
    cause: str
    streams: int
    oldest_ms: int | None
    newest_ms: int | None
    limit_ms: int
    reconnects: int
    rejected_frames: int


class OwnLevel(Panel, frozen=True):
    """One order of ours in a book."""

    side: str
    price_e4: int
    leaves_e6: int
    state: str
    strategy: str


class Book(Panel, frozen=True):
    """One outcome; levels best first, None while state does not vouch for them."""

    outcome: str
    token: str
    bids: tuple[Level, ...] | None
    asks: tuple[Level, ...] | None
    orders: tuple[OwnLevel, ...]
    held_e6: int | None


class Market(Panel, frozen=True):
    """One market of the calendar.

    Attributes:
        phase: `ahead`, `running`, `cutoff` (from our cutoff to the end) or `ended`.
        reason: Why its view is not valid; empty when it is.
        age_ms: Of the view; None when there is none.
        proven_age_ms: Since the venue's hash last proved the books; None when it never has.
        reference: Price of the source that settles, decimal text; None when unknown.
        halted: Why execution has halted this market; empty when it has not.
    """

    id: str
    slug: str
    asset: str
    phase: str
    start_wall_ms: int
    cutoff_wall_ms: int
    end_wall_ms: int
    valid: bool
    reason: str
    age_ms: int | None
    proven_age_ms: int | None
    tick_e4: int
    reference: str | None
    reference_source: str
    reference_age_ms: int | None
    strike: str | None
    winner: str
    halted: str
    books: tuple[Book, Book]


class Position(Panel, frozen=True):
    """Shares of one strategy in one outcome.

    Attributes:
        bid_e4: Best proven bid; None when unknown.
    """

    market: str
    slug: str
    outcome: str
    strategy: str
    matched_e6: int
    mined_e6: int
    confirmed_e6: int
    cost_e6: int
    bid_e4: int | None


class Positions(Panel, frozen=True):
    """All positions, as execution repeats them each second."""

    age_ms: int
    rows: tuple[Position, ...]


class Today(Panel, frozen=True):
    """The present UTC day as risk judges it: both counts, and how much of the limits is lost.

    Attributes:
        stream_e6: Realised, by the venue's own-order stream; ledger_e6: by execution's ledger.
        lost_e6: By the worse of the two, below zero for a gain.
        agrees: Whether the two do.
    """

    age_ms: int
    capital_usd: int
    stream_e6: int
    ledger_e6: int | None
    lost_e6: int
    limit_e6: int
    percent: int
    session_lost_e6: int
    session_limit_e6: int
    agrees: bool


class Profit(Panel, frozen=True):
    """Money, realised and not.

    Attributes:
        problem: Why the ledger tells nothing; empty when it does.
        age_ms: Since it was last read well; None when it never was.
        as_of_wall_ms: When its newest row was written; None without one.
        unrealised_e6: Over the positions that have a price; None when positions are unknown.
        unpriced_cost_e6: Cost of those that have none, and are not in it.
        today: What risk says of the day; None while it does not.
    """

    problem: str
    age_ms: int | None
    as_of_wall_ms: int | None
    realised_e6: int | None
    realised_today_e6: int | None
    fees_e6: int | None
    fills: int | None
    markets_closed: int | None
    is_cut: bool
    unrealised_e6: int | None
    unpriced_cost_e6: int | None
    unpriced_markets: int
    today: Today | None = None


class Latency(Panel, frozen=True):
    """One measure over the last minute; None where nothing was measured in it."""

    name: str
    meaning: str
    count: int
    median_us: int | None
    p95_us: int | None
    max_us: int | None
    age_ms: int | None


class AlertRow(Panel, frozen=True):
    """Alerts of one name: how many were heard, and the newest of them."""

    severity: str
    name: str
    component: str
    text: str
    runbook: str
    count: int
    age_ms: int
    wall_ms: int


class TransitionRow(Panel, frozen=True):
    """A change of state or an act of an operator."""

    what: str
    scope: str
    before: str
    after: str
    cause: str
    actor: str
    wall_ms: int


class Refusals(Panel, frozen=True):
    """Denials of this run of execution, most frequent first."""

    age_ms: int
    rows: tuple[tuple[str, int], ...]


class Doubt(Panel, frozen=True):
    """Something that is wrong with what is told, in words.

    Attributes:
        blocks: Whether it stops its asset.
        lasts_ms: Since it began, as of the telling; seen_ms: since it was seen last.
    """

    stream: str
    check: str
    verdict: str
    value: str
    limit: str
    second: str
    lasts_ms: int
    seen_ms: int
    count: int
    blocks: bool


class Data(Panel, frozen=True):
    """What state finds wrong with the data.

    Attributes:
        refused, suspect: Values so judged in state's run.
    """

    age_ms: int
    streams: int
    refused: int
    suspect: int
    doubts: tuple[Doubt, ...]


class Strategy(Panel, frozen=True):
    """What a strategy says of itself."""

    name: str
    state: str
    reason: str
    markets: int
    age_ms: int


class CheckRow(Panel, frozen=True):
    """One check of readiness."""

    name: str
    holds: bool
    detail: str
    age_ms: int | None
    failures: int


class Page(Panel, frozen=True):
    """Everything.

    Attributes:
        at_ms: Monotonic milliseconds of the making; all ages count from it.
        incarnation: Of the dashboard: another one begins counting anew.
        heard_since_ms: For how long this process has listened: what is unknown may only not
            have been said yet.
    """

    at_ms: int
    wall_ms: int
    incarnation: str
    heard_since_ms: int
    profile: str
    mode: str
    account: str
    verdict: Verdict
    orders: Orders | None
    components: tuple[Component, ...] | None
    components_age_ms: int | None
    switches: tuple[SwitchRow, ...] | None
    switches_clear: tuple[str, ...] | None
    feeds: tuple[Feed, ...]
    data: Data | None
    markets: tuple[Market, ...] | None
    calendar_age_ms: int | None
    view_age_ms: int | None
    positions: Positions | None
    profit: Profit
    latency: tuple[Latency, ...]
    alerts: tuple[AlertRow, ...]
    transitions: tuple[TransitionRow, ...]
    refusals: Refusals | None
    strategies: tuple[Strategy, ...]
    checks: tuple[CheckRow, ...]
    recovery: Reconnection | None


class History(Panel, frozen=True):
    """The curves; a None in them is a hole.

    Attributes:
        closings: Realised profit step by step, from the ledger: (wall ms, 1e-6 USD).
    """

    wall_ms: int
    closings: tuple[tuple[int, int], ...]
    profit_walls_ms: tuple[int, ...]
    realised_e6: tuple[int | None, ...]
    unrealised_e6: tuple[int | None, ...]
    latency_walls_ms: tuple[int, ...]
    latency_us: dict[str, tuple[int | None, ...]]

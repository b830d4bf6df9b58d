"""The one table of limits and times: each with its unit, range, reason and default."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.abnormal import AbnormalSettings
from shared.config.access import AccessSettings
from shared.config.clock import ClockSettings
from shared.config.components import ComponentsSettings
from shared.config.degradation import DegradationSettings
from shared.config.drill import DrillSettings
from shared.config.losses import LossSettings, PerformanceSettings, ThrottleSettings
from shared.config.mirror import MirrorSettings
from shared.config.names import NameSettings
from shared.config.perp import PerpSettings
from shared.config.quality import QualitySettings
from shared.config.ramp import RampSettings
from shared.config.recorder import RecorderSettings
from shared.config.recovery import RecoverySettings
from shared.config.resources import ResourceSettings
from shared.config.section import Port, Section
from shared.config.simulator import SimulatorSettings
from shared.config.strategies import StrategySettings
from shared.config.venue import VenueSettings


class RunSettings(Section, frozen=True, kw_only=True):
    """Where a group lives. Two groups side by side differ here and in their ports."""

    profile: Annotated[str, Meta(description="Name shown to people.", min_length=1)]
    mode: Annotated[
        Literal["simulation", "replay", "paper", "live"],
        Meta(description="All but live send orders to this machine alone."),
    ] = "simulation"
    live_acknowledgement: Annotated[
        str, Meta(description="For mode live: exactly `I trade real money`.")
    ] = ""
    dry_run: Annotated[
        bool, Meta(description="Everything but the sending: posts are decided and recorded.")
    ] = False
    run_directory: Annotated[
        str,
        Meta(
            description="Sockets and locks, mode 0700. Short: an ipc path ends at 107 bytes.",
            max_length=70,
        ),
    ] = "run"
    data_directory: Annotated[str, Meta(description="Ledger, risk database, recordings.")] = "data"


class AccountSettings(Section, frozen=True, kw_only=True):
    """Whose money. Secrets are in 0600 files or the environment, never here."""

    name: Annotated[str, Meta(description="Account name in the ledger.", min_length=1)] = "main"
    wallet_kind: Annotated[
        Literal["eoa", "proxy", "safe", "deposit"],
        Meta(description="Who is the maker of our orders."),
    ] = "eoa"
    wallet_address: Annotated[
        str, Meta(description="Maker address; empty: the address of the key (eoa only).")
    ] = ""
    key_file: Annotated[str, Meta(description="Private key, hex, mode 0600.", min_length=1)]
    credentials_file: Annotated[
        str, Meta(description="API key, secret, passphrase as JSON, mode 0600.", min_length=1)
    ]
    relayer_key_file: Annotated[
        str,
        Meta(description="Key of the relayer as JSON (`key`, `address`), 0600; empty: none."),
    ] = ""
    price_credentials_file: Annotated[
        str,
        Meta(description="API key for the price socket alone; empty: that of the account."),
    ] = ""


class MarketSettings(Section, frozen=True, kw_only=True):
    """Which markets are traded."""

    assets: Annotated[
        tuple[str, ...], Meta(description="Underlyings, lower case.", min_length=1, max_length=8)
    ] = ("btc",)
    interval_s: Annotated[
        int, Meta(description="Length of the markets: 300, 900 or 14400 live.", ge=10, le=14400)
    ] = 300
    cutoff_ms: Annotated[
        int,
        Meta(
            description="Stop this long before the end: the last seconds are decided.",
            ge=1000,
            le=600_000,
        ),
    ] = 10_000
    ahead: Annotated[
        int, Meta(description="Windows known ahead of the running one.", ge=1, le=10)
    ] = 1
    discovery_every_ms: Annotated[
        int, Meta(description="Discovery reads are limited to 300 in 10 s.", ge=200, le=60_000)
    ] = 1_000
    events: Annotated[
        tuple[str, ...],
        Meta(
            description="Slugs of events with several markets that are followed, not traded.",
            max_length=32,
        ),
    ] = ()
    event_series: Annotated[
        tuple[str, ...],
        Meta(
            description="Ids of series whose open events are followed likewise; the venue numbers "
            "them.",
            max_length=8,
        ),
    ] = ()
    events_every_ms: Annotated[
        int,
        Meta(
            description="An event is asked for so often; a series ten times less.",
            ge=500,
            le=600_000,
        ),
    ] = 5_000
    calendar_stale_ms: Annotated[
        int, Meta(description="Calendar older than this is not vouched for.", ge=1000, le=120_000)
    ] = 15_000


class TimingSettings(Section, frozen=True, kw_only=True):
    """Safety times. Their mutual rules are checked too."""

    ping_ms: Annotated[
        int,
        Meta(
            description="Risk pings each component; largest gap seen under load 124 ms.",
            ge=20,
            le=1000,
        ),
    ] = 100
    lease_ms: Annotated[
        int,
        Meta(
            description="Four pings may be lost; shorter than the socket time-out.", ge=100, le=2000
        ),
    ] = 400
    hang_ms: Annotated[
        int,
        Meta(description="Silence of a component after which it counts as hung.", ge=200, le=5000),
    ] = 450
    blocked_ms: Annotated[
        int,
        Meta(description="BLOCKED must come within this, or execution is killed.", ge=20, le=1000),
    ] = 100
    socket_timeout_ms: Annotated[
        int, Meta(description="TCP_USER_TIMEOUT of post sockets.", ge=500, le=2000)
    ] = 2_000
    read_gap_ms: Annotated[
        int,
        Meta(
            description="Between the two reads of a proof: the venue's longest hold of an order.",
            ge=2000,
            le=30_000,
        ),
    ] = 2_000
    post_deadline_ms: Annotated[
        int, Meta(description="Total deadline of a post; then it is UNKNOWN.", ge=200, le=10_000)
    ] = 1_500
    cancel_deadline_ms: Annotated[
        int, Meta(description="Total deadline of a cancel; then it is repeated.", ge=100, le=10_000)
    ] = 1_000
    read_deadline_ms: Annotated[
        int, Meta(description="Total deadline of a read.", ge=100, le=10_000)
    ] = 2_000
    late_order_margin_ms: Annotated[
        int,
        Meta(
            description="An order that arrives later than this is refused by the venue.",
            ge=500,
            le=10_000,
        ),
    ] = 2_000
    beat_every_ms: Annotated[
        int, Meta(description="The venue's dead-man switch runs 10 s.", ge=500, le=5000)
    ] = 2_000
    beat_deadline_ms: Annotated[int, Meta(description="Deadline of one beat.", ge=200, le=5000)] = (
        2_000
    )
    beat_admission_ms: Annotated[
        int,
        Meta(
            description="No lease later than this after the last acknowledged beat was sent.",
            ge=1000,
            le=9000,
        ),
    ] = 7_000
    target_ttl_ms: Annotated[
        int, Meta(description="A strategy's wish not renewed is withdrawn.", ge=100, le=5000)
    ] = 400
    market_stale_ms: Annotated[
        int, Meta(description="Active book silent without a witness.", ge=500, le=60_000)
    ] = 2_000
    user_stale_ms: Annotated[
        int, Meta(description="Own-order feed without evidence.", ge=500, le=60_000)
    ] = 3_000
    oracle_pause_ms: Annotated[
        int,
        Meta(
            description="Settlement oracle silent: place nothing. Ticks arrive 1.6 s old.",
            ge=500,
            le=60_000,
        ),
    ] = 3_000
    oracle_cancel_ms: Annotated[
        int, Meta(description="Settlement oracle silent: cancel too.", ge=500, le=120_000)
    ] = 10_000
    state_stale_ms: Annotated[int, Meta(description="Hot view not renewed.", ge=200, le=10_000)] = (
        1_000
    )
    clean_data_ms: Annotated[
        int,
        Meta(description="Clean data before trading resumes after a recovery.", ge=0, le=60_000),
    ] = 3_000
    reconcile_light_ms: Annotated[
        int, Meta(description="Open orders and trades asked of the venue.", ge=500, le=60_000)
    ] = 5_000
    reconcile_full_ms: Annotated[
        int,
        Meta(
            description="Open orders, trades and balances compared with ours (KS-14).",
            ge=2_000,
            le=600_000,
        ),
    ] = 30_000
    mismatch_grace_ms: Annotated[
        int,
        Meta(
            description="The venue's lists and its cache of balances lag: what differs counts "
            "only when it still does this long after the last change.",
            ge=1_000,
            le=300_000,
        ),
    ] = 10_000
    halted_poll_ms: Annotated[
        int, Meta(description="While halted open orders are polled for good.", ge=500, le=60_000)
    ] = 5_000


UnknownPosition = Literal["hold", "caretaker"]

_Narrower = Annotated[
    int,
    Meta(
        description="Exposure in USD, or shares, that positions and open buys of one place may "
        "come to at worst; 0: no bound of its own below the account's.",
        ge=0,
        le=10_000_000,
    ),
]


class LimitSettings(Section, frozen=True, kw_only=True):
    """Caps that the gate enforces on every order."""

    shares_per_outcome_max: Annotated[
        int, Meta(description="Hard cap of one outcome, shares, worst case.", ge=1, le=1_000_000)
    ] = 30
    unpaired_shares_global_max: Annotated[
        int, Meta(description="Sum over markets of unpaired shares.", ge=1, le=1_000_000)
    ] = 100
    order_notional_usd_max: Annotated[int, Meta(description="One order.", ge=1, le=100_000)] = 20
    exposure_usd_max: Annotated[
        int, Meta(description="Cost of all positions and open buys.", ge=1, le=1_000_000)
    ] = 100
    exposure_per_market_usd_max: _Narrower = 0
    exposure_per_asset_usd_max: _Narrower = 0
    exposure_per_strategy_usd_max: _Narrower = 0
    shares_per_market_max: _Narrower = 0
    shares_per_asset_max: _Narrower = 0
    shares_per_strategy_max: _Narrower = 0
    shares_account_max: _Narrower = 0
    daily_loss_usd_max: Annotated[
        int,
        Meta(
            description="Realised loss of a UTC day; never more than `losses.daily_percent_max` "
            "of the capital, whatever it says.",
            ge=1,
            le=1_000_000,
        ),
    ] = 50
    open_orders_max: Annotated[
        int,
        Meta(
            description="Open, in flight and unknown: below the cancel burst of 120.", ge=1, le=1000
        ),
    ] = 80
    orders_per_second_max: Annotated[
        int, Meta(description="Below the venue's 40 a second of the standard tier.", ge=1, le=500)
    ] = 30
    price_collar_e4: Annotated[
        int,
        Meta(
            description="Farthest from the mid price that an order may be, 1e-4 USD.",
            ge=1,
            le=10_000,
        ),
    ] = 2_000

    position_mismatch_e6_max: Annotated[
        int,
        Meta(
            description="What our count of a token and its balance may differ by, 1e-6 share: "
            "dust of the venue's rounding.",
            ge=0,
            le=1_000_000,
        ),
    ] = 10_000
    unknown_position: Annotated[
        UnknownPosition,
        Meta(
            description="A position found that nobody here made, owner `adopted`: held until its "
            "market pays out, or given to the caretaker to close, reduce-only."
        ),
    ] = "hold"


class DashboardSettings(Section, frozen=True, kw_only=True):
    """The page, health and metrics, on loopback alone."""

    enabled: bool = True
    port: Annotated[Port, Meta(description="Of the page; each group needs its own.")] = 18090


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    run: RunSettings
    account: AccountSettings
    venue: VenueSettings
    markets: MarketSettings = MarketSettings()
    names: NameSettings = NameSettings()
    access: AccessSettings = AccessSettings()
    timing: TimingSettings = TimingSettings()
    limits: LimitSettings = LimitSettings()
    losses: LossSettings = LossSettings()
    performance: PerformanceSettings = PerformanceSettings()
    throttle: ThrottleSettings = ThrottleSettings()
    ramp: RampSettings = RampSettings()
    drill: DrillSettings = DrillSettings()
    clock: ClockSettings = ClockSettings()
    components: ComponentsSettings = ComponentsSettings()
    resources: ResourceSettings = ResourceSettings()
    degradation: DegradationSettings = DegradationSettings()
    recovery: RecoverySettings = RecoverySettings()
    abnormal: AbnormalSettings = AbnormalSettings()
    quality: QualitySettings = QualitySettings()
    perp: PerpSettings = PerpSettings()
    strategy: StrategySettings = StrategySettings()
    recorder: RecorderSettings = RecorderSettings()
    dashboard: DashboardSettings = DashboardSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    mirror: MirrorSettings = MirrorSettings()

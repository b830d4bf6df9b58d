"""The one table of limits and times: each with its unit, range, reason and default."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1024, le=65535)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the configuration file."""


class RunSettings(Section, frozen=True, kw_only=True):
    """Where a group lives. Two groups side by side differ here and in their ports."""

    profile: Annotated[str, Meta(description="Name shown to people.", min_length=1)]
    mode: Annotated[
        Literal["simulation", "replay", "paper", "live"],
        Meta(description="live needs its own acknowledgement."),
    ] = "simulation"
    live_acknowledgement: Annotated[
        str, Meta(description="For mode live: exactly `I trade real money`.")
    ] = ""
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


class VenueSettings(Section, frozen=True, kw_only=True):
    """Where the venue answers."""

    clob_url: Annotated[str, Meta(description="Trading and books over REST.", min_length=1)]
    discovery_url: Annotated[str, Meta(description="Gamma: markets and events.", min_length=1)]
    geoblock_url: Annotated[str, Meta(description="Host of /api/geoblock.", min_length=1)]
    market_socket_url: Annotated[str, Meta(description="Public market channel.", min_length=1)]
    user_socket_url: Annotated[str, Meta(description="Own orders and trades.", min_length=1)]
    price_socket_url: Annotated[str, Meta(description="PolyBolt prices.", min_length=1)]
    chain_id: Annotated[int, Meta(description="Polygon.", ge=1)] = 137


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
    halted_poll_ms: Annotated[
        int, Meta(description="While halted open orders are polled for good.", ge=500, le=60_000)
    ] = 5_000


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
    daily_loss_usd_max: Annotated[
        int, Meta(description="Realised loss of a UTC day.", ge=1, le=1_000_000)
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


class MarketMakingSettings(Section, frozen=True, kw_only=True):
    """Avellaneda-Stoikov quoting; a page in docs/strategies.md explains each."""

    enabled: bool = True
    size_shares: Annotated[
        int, Meta(description="Size of one quote; halved while holding.", ge=1, le=10_000)
    ] = 10
    levels: Annotated[int, Meta(description="Ladder depth.", ge=1, le=8)] = 1
    level_step_e4: Annotated[int, Meta(description="Between levels, 1e-4 USD.", ge=1, le=2000)] = (
        100
    )
    risk_aversion: Annotated[
        float, Meta(description="Gamma of the model, per 100 shares held.", gt=0.0, le=100.0)
    ] = 0.1
    order_arrival_decay: Annotated[
        float, Meta(description="k of the model, per USD of distance.", gt=0.0, le=10_000.0)
    ] = 60.0
    spread_e4_min: Annotated[
        int, Meta(description="Never quote tighter than this, 1e-4 USD.", ge=1, le=5000)
    ] = 200
    skew_e4_per_share: Annotated[
        int,
        Meta(
            description="Reservation price moved per share held; 5: 5 cents per 100.", ge=0, le=1000
        ),
    ] = 5
    price_e4_min: Annotated[
        int,
        Meta(description="Quote only while fair value is inside min and 1 - min.", ge=1, le=4999),
    ] = 600
    requote_e4: Annotated[
        int,
        Meta(description="Smaller moves of the fair quote keep the resting one.", ge=0, le=2000),
    ] = 100
    reference_stale_ms: Annotated[
        int, Meta(description="Reference price older than this: no wish.", ge=500, le=60_000)
    ] = 3_000

    disagreement_e4_max: Annotated[
        int,
        Meta(
            description="Model and book mid farther apart than this: one is wrong, no wish.",
            ge=10,
            le=10_000,
        ),
    ] = 1_500


class CaretakerSettings(Section, frozen=True, kw_only=True):
    """Reduce-only care for the positions of a strategy that is gone."""

    takeover_ms: Annotated[
        int,
        Meta(
            description="Silence of a strategy before its positions are taken over.",
            ge=500,
            le=60_000,
        ),
    ] = 3_000
    stop_loss_e4: Annotated[
        int,
        Meta(description="Best bid this far below cost a share: sell at market.", ge=10, le=10_000),
    ] = 1_500
    slippage_e4_max: Annotated[
        int, Meta(description="A stop sells at most this far below the best bid.", ge=1, le=5_000)
    ] = 300


class StrategySettings(Section, frozen=True, kw_only=True):
    """One table a strategy."""

    market_making: MarketMakingSettings = MarketMakingSettings()
    caretaker: CaretakerSettings = CaretakerSettings()


class RecorderSettings(Section, frozen=True, kw_only=True):
    """The recording."""

    flush_ms: Annotated[int, Meta(description="Longest time in memory.", ge=10, le=60_000)] = 500
    memory_mib_max: Annotated[int, Meta(description="Bound of the buffer.", ge=1, le=4096)] = 64


class SimulatorSettings(Section, frozen=True, kw_only=True):
    """The venue of the simulation profile."""

    enabled: bool = True
    port: Port = 18080
    seed: Annotated[int, Meta(description="Of all its chance.", ge=0, le=2**63 - 1)] = 1
    collateral_usd: Annotated[int, Meta(description="Of a new account.", ge=1, le=10**9)] = 1_000
    frames_per_second: Annotated[
        int, Meta(description="Book changes a market and second by other makers.", ge=1, le=5000)
    ] = 20
    takers_per_second: Annotated[
        float, Meta(description="Taker orders a market and second.", ge=0.0, le=1000.0)
    ] = 1.0
    price_ms: Annotated[int, Meta(description="Step of the reference price.", ge=50, le=10_000)] = (
        500
    )
    volatility_annual: Annotated[
        float, Meta(description="Of the reference price.", ge=0.0, le=100.0)
    ] = 0.6
    protocol: Annotated[
        Literal["v1", "v2", "mixed"], Meta(description="Of the markets; mixed takes turns.")
    ] = "v1"
    ahead: Annotated[
        int, Meta(description="Windows listed ahead of the running one.", ge=1, le=20)
    ] = 2
    oracle_latency_ms: Annotated[
        int, Meta(description="From a tick to its sending; median measured 1350.", ge=0, le=10_000)
    ] = 1_350
    resolution_ms: Annotated[
        int, Meta(description="From a market's end to its resolution.", ge=0, le=600_000)
    ] = 3_000
    mined_ms: Annotated[
        int,
        Meta(description="From MATCHED to MINED, when what was bought arrives.", ge=0, le=60_000),
    ] = 2_000
    confirmed_ms: Annotated[int, Meta(description="From MINED to CONFIRMED.", ge=0, le=60_000)] = (
        2_000
    )
    taker_delay_ms: Annotated[
        int, Meta(description="Hold of a marketable order; 150 since September.", ge=0, le=5_000)
    ] = 150
    clock_window_s: Annotated[
        int, Meta(description="How far a signed timestamp may be off, either way.", ge=1, le=3_600)
    ] = 60
    rate_limits: Annotated[
        bool, Meta(description="Whether the standard tier's order and cancel rates are enforced.")
    ] = True
    wire_log: Annotated[
        str, Meta(description="File of the wire log in the data directory; empty for none.")
    ] = "wire.jsonl"


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    run: RunSettings
    account: AccountSettings
    venue: VenueSettings
    markets: MarketSettings = MarketSettings()
    timing: TimingSettings = TimingSettings()
    limits: LimitSettings = LimitSettings()
    strategy: StrategySettings = StrategySettings()
    recorder: RecorderSettings = RecorderSettings()
    simulator: SimulatorSettings = SimulatorSettings()

"""Pace, delays and chance of the simulated venue: each with its unit, range and default."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.section import Port, Section


class SimulatorSettings(Section, frozen=True, kw_only=True):
    """The venue of the simulation profile."""

    enabled: bool = True
    port: Port = 18080
    time_port: Annotated[
        int, Meta(description="Where SNTP is answered on loopback; 0 for nowhere.", ge=0, le=65_535)
    ] = 0
    seed: Annotated[int, Meta(description="Of all its chance.", ge=0, le=2**63 - 1)] = 1
    collateral_usd: Annotated[int, Meta(description="Of a new account.", ge=1, le=10**9)] = 1_000
    frames_per_second: Annotated[
        int, Meta(description="Book changes a market and second by other makers.", ge=1, le=5000)
    ] = 20
    burst_frames_per_second: Annotated[
        int, Meta(description="Book changes a second during a burst; 0 for none.", ge=0, le=5_000)
    ] = 0
    burst_every_s: Annotated[
        int, Meta(description="From one burst's begin to the next.", ge=1, le=3_600)
    ] = 30
    burst_ms: Annotated[int, Meta(description="How long a burst lasts.", ge=1, le=60_000)] = 1_000
    levels: Annotated[
        int,
        Meta(description="Cents from fair value to other makers' last quote.", ge=5, le=99),
    ] = 99
    half_spread_ticks: Annotated[
        int,
        Meta(description="From fair value to other makers' first; 2 leaves room.", ge=1, le=50),
    ] = 2
    takers_per_second: Annotated[
        float, Meta(description="Taker orders a market and second.", ge=0.0, le=1000.0)
    ] = 1.0
    price_ms: Annotated[int, Meta(description="Step of the reference price.", ge=50, le=10_000)] = (
        500
    )
    volatility_annual: Annotated[
        float, Meta(description="Of the reference price.", ge=0.0, le=100.0)
    ] = 0.6
    prices_file: Annotated[
        str,
        Meta(
            description="Recorded prices (CSV, .gz or not) to play instead of a walk; empty: none."
        ),
    ] = ""
    prices_asset: Annotated[
        str, Meta(description="Underlying of prices_file; all others walk.", min_length=1)
    ] = "btc"
    prices_speed: Annotated[
        float,
        Meta(
            description="Recorded seconds a second; interval_s times it is the recorded window.",
            ge=0.1,
            le=100.0,
        ),
    ] = 1.0
    prices_from: Annotated[
        str,
        Meta(
            description="Where to begin: 13:05, 2026-07-24T13:05:00Z or Unix seconds; "
            "empty: the first whole window."
        ),
    ] = ""
    markets_file: Annotated[
        str,
        Meta(
            description="Recorded markets (JSON lines, .gz or not), whose outcomes stand; "
            "empty: the venue's own rule decides."
        ),
    ] = ""
    protocol: Annotated[
        Literal["v1", "v2", "neg_risk", "mixed"],
        Meta(description="Of the markets; mixed takes turns over the three."),
    ] = "v1"
    balance_lag_ms: Annotated[
        int,
        Meta(description="Until the venue sees what a wallet has got.", ge=0, le=3_600_000),
    ] = 0
    rewards_usd: Annotated[
        float, Meta(description="Each market's pool of rewards a day.", ge=0.0, le=1e6)
    ] = 0.0
    document_form: Annotated[
        Literal["clients", "openapi"],
        Meta(description="Where documents disagree: as clients read it, or as OpenAPI says."),
    ] = "clients"
    eoa_makers: Annotated[
        Literal["allowed", "refused"],
        Meta(description="Plain keys as makers; the venue refuses new ones since May 2026."),
    ] = "allowed"
    legacy_makers: Annotated[
        Literal["allowed", "refused"], Meta(description="Proxies and Safes nobody has made known.")
    ] = "allowed"
    approvals: Annotated[
        Literal["given", "missing"],
        Meta(description="What new wallets have allowed the exchanges; `interlock approve`."),
    ] = "given"
    deposit_wallets: Annotated[
        Literal["deployed", "undeployed"],
        Meta(description="Whether a deposit wallet that nobody has made known may sign."),
    ] = "deployed"
    ahead: Annotated[
        int, Meta(description="Windows listed ahead of the running one.", ge=1, le=20)
    ] = 2
    listing_lag_ms: Annotated[
        int,
        Meta(
            description="From a listing until trading knows its tokens; discovery has no ids "
            "for half of it.",
            ge=0,
            le=600_000,
        ),
    ] = 0
    indexer_lag_ms: Annotated[
        int,
        Meta(description="From a match until the data service may tell of it.", ge=0, le=600_000),
    ] = 3_000
    ranges: Annotated[
        bool,
        Meta(
            description="Whether an event with three markets (in which range does the price end, "
            "for negative risk) is listed beside each window of the first asset."
        ),
    ] = False
    bare_conditions: Annotated[
        bool, Meta(description="Whether discovery writes v2 conditions with 62 digits.")
    ] = False
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
    heartbeat_silence_ms: Annotated[
        int, Meta(description="Silence of a key after which its orders end.", ge=100, le=60_000)
    ] = 10_000
    heartbeat_sweep_ms: Annotated[
        int, Meta(description="Between two looks for silent keys.", ge=10, le=60_000)
    ] = 5_000
    rate_limits: Annotated[
        bool, Meta(description="Whether the standard tier's order and cancel rates are enforced.")
    ] = True
    rate_tier: Annotated[
        Literal["standard", "copper", "bronze", "silver", "gold", "platinum", "diamond", "elite"],
        Meta(description="Of every signer; by 30 days of volume at the venue."),
    ] = "standard"
    rate_warning: Annotated[
        bool, Meta(description="Whether an excess of rates is only told, as in July.")
    ] = False
    address_windows: Annotated[
        bool,
        Meta(description="Whether an address over its limits waits, as at the edge."),
    ] = True
    seconds_delay_ms: Annotated[
        int,
        Meta(description="Hold after `delayed`, as of live sports; 0 none.", ge=0, le=60_000),
    ] = 0
    tick_change_books: Annotated[
        bool,
        Meta(description="Whether whole books follow a new price step; recordings do not tell."),
    ] = True
    wire_log: Annotated[
        str, Meta(description="File of the wire log in the data directory; empty for none.")
    ] = "wire.jsonl"

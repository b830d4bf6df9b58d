"""Puts an exchange together from settings: calendar, accounts, trades, oracles."""

from services.simulator.accounts import Accounts
from services.simulator.exchange import Exchange
from services.simulator.faults.switches import Faults
from services.simulator.limits import RateLimits
from services.simulator.markets import Calendar, Protocol
from services.simulator.oracles.oracle import Oracle
from services.simulator.oracles.recorded import RecordedPrices
from services.simulator.oracles.recording import Playback, Recording
from services.simulator.oracles.walk import RandomWalk
from services.simulator.spenders import SPENDERS
from services.simulator.standings import Standings
from services.simulator.trades import TradeBook, Trouble
from shared.config import SimulatorSettings
from shared.identifiers import Asset
from shared.units import NS_PER_MS, MoneyE6

PARTICIPANT_COLLATERAL_E6 = MoneyE6(10**18)
_PROTOCOLS: dict[str, tuple[Protocol, ...]] = {
    "v1": ("v1",),
    "v2": ("v2",),
    "neg_risk": ("neg_risk",),
    "mixed": ("v1", "v2", "neg_risk"),
}


def make_exchange(
    settings: SimulatorSettings,
    assets: tuple[str, ...],
    known: tuple[str, ...],
    interval_s: int,
    faults: Faults,
    recording: Recording | None = None,
) -> Exchange:
    """Return an exchange that has listed nothing yet.

    Args:
        settings: Delays, seed, starting collateral.
        assets: Series that it lists.
        known: Assets that it has a price of; more than those when markets of others are left.
        interval_s: Length of every new market.
        faults: Asked whether a settlement fails.
        recording: Played instead of one asset's walk.
    """
    seed = settings.seed
    names = tuple(Asset(asset) for asset in assets)
    playbacks = {} if recording is None else {recording.asset: Playback(recording)}
    calendar = Calendar(
        names,
        interval_s,
        seed,
        ahead=settings.ahead,
        resolution_ms=settings.resolution_ms,
        versions=_PROTOCOLS[settings.protocol],
        listing_lag_ms=settings.listing_lag_ms,
        has_ranges=settings.ranges,
        playbacks=playbacks,
    )
    accounts, trades = make_money(settings)
    oracles: dict[Asset, Oracle] = {
        name: RandomWalk(
            name, seed, settings.price_ms, settings.volatility_annual, settings.oracle_latency_ms
        )
        for name in map(Asset, known)
    }
    oracles |= {name: RecordedPrices(playback) for name, playback in playbacks.items()}
    return Exchange(
        calendar, accounts, trades, oracles, seed, lambda now_ns: trouble_of(faults, now_ns)
    )


def make_money(settings: SimulatorSettings) -> tuple[Accounts, TradeBook]:
    """Return accounts with their starting collateral, and the trades that move it."""
    standings = Standings(
        eoa=settings.eoa_makers == "allowed",
        legacy=settings.legacy_makers == "allowed",
        deposit=settings.deposit_wallets == "deployed",
    )
    collateral = MoneyE6(settings.collateral_usd * 1_000_000)
    accounts = Accounts(
        collateral,
        PARTICIPANT_COLLATERAL_E6,
        standings,
        lag_ns=settings.balance_lag_ms * NS_PER_MS,
        unapproved=() if settings.approvals == "given" else SPENDERS["COLLATERAL"],
    )
    trades = TradeBook(
        accounts, settings.seed, settings.mined_ms * NS_PER_MS, settings.confirmed_ms * NS_PER_MS
    )
    return accounts, trades


def make_limits(settings: SimulatorSettings) -> RateLimits | None:
    """Return the signers' rates, None where they are not limited."""
    if not settings.rate_limits:
        return None
    return RateLimits(settings.rate_tier, warns=settings.rate_warning)


def trouble_of(faults: Faults, now_ns: int) -> Trouble:
    """Return what the faults that are on do to the settlement of a trade of now."""
    unsent = faults.struck_by("hold_broadcast", now_ns)
    slow = faults.struck_by("slow_settlement", now_ns)
    return Trouble(
        fails=faults.struck_by("fail_settlement", now_ns) is not None,
        fails_if_won=faults.struck_by("fail_winners", now_ns) is not None,
        retries=faults.struck_by("retry_settlement", now_ns) is not None,
        undone=faults.struck_by("undo_settlement", now_ns) is not None,
        unsent_ns=None if unsent is None else unsent.delay_ms * NS_PER_MS,
        slow_ns=0 if slow is None else slow.delay_ms * NS_PER_MS,
    )

"""Everything that risk draws samples from beyond the feeds and the components' presence.

The one list of sources, in the order of the switch table; each is a file of its own.
"""

from collections.abc import Iterator

import msgspec

from services.risk.abnormal import AbnormalSource
from services.risk.abnormal_perps import AbnormalPerps
from services.risk.breaker_count import BreakerCount
from services.risk.clock import ClockSource
from services.risk.contradictions import Contradictions
from services.risk.crash_records import CrashRecords
from services.risk.degradation import LevelShift
from services.risk.handover import Handover
from services.risk.level_source import LevelSource
from services.risk.losses import Losses
from services.risk.messages import CapitalIs, StoredState
from services.risk.price_sockets import PriceSocketsSource
from services.risk.quality import QualitySource
from services.risk.reach import ReachSource
from services.risk.reconnection import Reconnections
from services.risk.recording_watch import RecordingWatch
from services.risk.release import Release, ReleaseSource
from services.risk.resources import ResourceSource
from services.risk.restarts import Restarts
from services.risk.restricted import RestrictedSource
from services.risk.samples import Sample
from services.risk.source import Notice, Source
from services.risk.throttle import ThrottleSource
from services.risk.venue_mode import VenueModeSource
from shared.config import Config
from shared.effects import Effect
from shared.facts import RiskStatus
from shared.risk_schema import Kept
from shared.units import Instant
from shared.venue.planned_restarts import NOTHING_PLANNED, PlannedRestarts


class Surroundings(msgspec.Struct, frozen=True):
    """What a shell has read of its process and of the host before the loop began.

    Attributes:
        release: What this risk was made of; None where it has no hashes.
        planned: Restarts of the venue that its calendar names.
    """

    release: Release | None = None
    planned: PlannedRestarts = NOTHING_PLANNED


NO_SURROUNDINGS = Surroundings()


def make_sources(
    config: Config, stored: StoredState, around: Surroundings = NO_SURROUNDINGS
) -> tuple[Source, ...]:
    """Return one source for each kind of condition.

    Args:
        config: Settings.
        stored: What the database held: what a source counts over a day survives in it.
        around: What the shell has read.
    """
    return (
        RestrictedSource(config),
        ClockSource(config.clock),
        ReleaseSource(around.release),
        VenueModeSource(around.planned),
        Restarts(config.components),
        Handover(),
        Contradictions(),
        CrashRecords(),
        AbnormalSource(config),
        AbnormalPerps(config),
        QualitySource(config),
        PriceSocketsSource(),
        ResourceSource(config.resources),
        RecordingWatch(),
        ThrottleSource(config.throttle),
        Losses(config, stored),
        BreakerCount(stored),
        ReachSource(config.names),
        Reconnections(config),
        LevelSource(config),
    )


def looks(
    sources: tuple[Source, ...], capital_usd: int, now: Instant
) -> Iterator[Sample | Notice | LevelShift | Kept | Effect]:
    """Yield what every source sees now, of the capital that may be at work."""
    capital = CapitalIs(capital_usd)
    for source in sources:
        source.hear(capital, now)
        yield from source.data(now)


def completed(status: RiskStatus, sources: tuple[Source, ...], now: Instant) -> RiskStatus:
    """Return the status with the counts of the day, and the newest recovery from a lost feed."""
    for source in sources:
        if isinstance(source, Losses):
            status = msgspec.structs.replace(status, losses=source.status())
        elif isinstance(source, Reconnections):
            status = msgspec.structs.replace(status, reconnection=source.look(status, now))
    return status

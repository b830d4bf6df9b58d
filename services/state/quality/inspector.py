"""Judges every value before the view uses it, and keeps what is wrong.

A value passes its stamp, its range and the second source; what is refused is not used, and what
nobody confirms is refused too. A stop ends after some good updates in a row (DQ-1).
"""

from services.state.quality.corruption import Corruption
from services.state.quality.findings import NOT_USED, USED, Findings, Judged
from services.state.quality.readings import (
    Complaint,
    Reading,
    Stream,
    of_context,
    of_price,
    shown,
)
from services.state.quality.second_sources import STREAMS_MAX, Opinion, SecondSources
from services.state.quality.stream_watch import StreamWatch
from shared.config import Config
from shared.facts import FeedStatus, PerpContext, QualityFinding, ReferencePrice, StateQuality
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE, settlement_source
from shared.units import Instant

_BP_OF_PERCENT = 100


class Inspector:
    """All streams."""

    def __init__(self, config: Config) -> None:
        """Begin with no past of anything."""
        self._settings = config.quality
        self._agree_bp = config.abnormal.agree_percent_max * _BP_OF_PERCENT
        settles = settlement_source(config.markets.interval_s)
        assets = tuple(Asset(asset) for asset in config.markets.assets)
        # Strategies price by the source that settles; volatility comes from the spot source, whose
        # loss is a level's affair (DG-1), while a wrong price of it is as bad as one of the other.
        self._settling = frozenset(Stream(asset, settles, "price") for asset in assets)
        spots = frozenset(Stream(asset, SPOT_SOURCE, "price") for asset in assets)
        self._used = self._settling | spots
        self._watches: dict[Stream, StreamWatch] = {}
        self._seconds = SecondSources(config.abnormal.second_stale_ms, config.quality.perp_stale_ms)
        self._corruption = Corruption(config.quality)
        self._findings = Findings(config.quality.flag_kept_ms)
        self._new: list[QualityFinding] = []

    def price(self, tick: ReferencePrice, now: Instant) -> Judged:
        """Judge a tick of a reference price."""
        return self.judge(of_price(tick), now)

    def perp(self, context: PerpContext, now: Instant) -> tuple[Reading, ...]:
        """Judge a perpetual market's context; return what of it may be used.

        What a request has read is a second source and nothing more.
        """
        readings = of_context(context)
        for reading in readings:
            self._seconds.take(reading)
        if context.source == "rest":
            return ()
        return tuple(reading for reading in readings if self.judge(reading, now).is_used)

    def judge(self, reading: Reading, now: Instant) -> Judged:
        """Judge one value; what is not used is as if it had never been told."""
        watch = self._watch(reading.stream)
        if watch is None:
            return NOT_USED
        stamped = watch.stamps.judge(reading, now)
        if stamped == "seen":
            return NOT_USED
        if stamped == "future":
            self._note(watch, self._future(reading, now), now, blocks=False)
            return NOT_USED
        if stamped == "history":
            return Judged(is_used=watch.range.judge(reading.value, _nobody) is None)
        self._seconds.take(reading)
        watch.freshness.update(reading)
        is_suspect = stamped == "backwards"
        if is_suspect:
            self._note(watch, _backwards(reading, now), now, blocks=False)
        return self._judge_value(watch, reading, now, is_suspect=is_suspect)

    def feed(self, status: FeedStatus, now: Instant) -> None:
        """Take what a feed says of the frames that it refused."""
        for complaint in self._corruption.take(status, now):
            found = self._findings.note(status.feed, "", complaint, now, blocks=False)
            self._keep_new(found)
        if not self._corruption.is_degraded(status.feed):
            self._findings.end(status.feed, "corrupt")

    def look(self, now: Instant) -> None:
        """Look for what nobody tells: streams without updates, prices that hang."""
        for watch in self._watches.values():
            complaint = watch.freshness.judge(self._unchanged_witness(watch.stream, now), now)
            if complaint is None:
                continue
            watch.good_in_row = 0
            is_stale = complaint.check == "stale"
            blocks = watch.stream in (self._settling if is_stale else self._used)
            self._note(watch, complaint, now, blocks=blocks)
        self._findings.expire(now)

    def told(self) -> StateQuality:
        """Return what is wrong now."""
        findings = self._findings
        return StateQuality(
            streams=len(self._watches),
            refused=findings.refused,
            suspect=findings.suspect,
            findings=findings.told(),
        )

    def take_new(self) -> tuple[QualityFinding, ...]:
        """Return, once, the findings that began since the last time."""
        new, self._new = tuple(self._new), []
        return new

    def retell(self, asset: Asset) -> None:
        """Take an asset's ticks as new ones again: its feed reads them anew."""
        for stream, watch in self._watches.items():
            if stream.asset == asset:
                watch.stamps.forget()

    def _judge_value(
        self, watch: StreamWatch, reading: Reading, now: Instant, *, is_suspect: bool
    ) -> Judged:
        stream, value = watch.stream, reading.value
        complaint = watch.range.judge(value, lambda told: self._ask(stream, told, now))
        if complaint is not None:
            self._note(watch, complaint, now, blocks=complaint.refuses and stream in self._used)
            if complaint.refuses:
                watch.good_in_row = 0
                return NOT_USED
        if watch.outliers is not None:
            odd = watch.outliers.judge(value)
            if odd is not None:
                self._note(watch, odd, now, blocks=False)
            watch.outliers.accept(value, now)
        watch.range.accept(value, now)
        self._count_good(watch, now)
        return Judged(is_used=True, is_suspect=True) if is_suspect else USED

    def _count_good(self, watch: StreamWatch, now: Instant) -> None:
        """Count an update that is right, unless the price still hangs."""
        if watch.freshness.judge(self._unchanged_witness(watch.stream, now), now) is not None:
            watch.good_in_row = 0
            return
        watch.good_in_row += 1
        if watch.good_in_row >= self._settings.fresh_updates:
            self._findings.settle(watch.stream.name)

    def _ask(self, stream: Stream, value: int, now: Instant) -> Opinion:
        return self._seconds.ask(stream, value, self._agree_bp, now)

    def _unchanged_witness(self, stream: Stream, now: Instant) -> "_Witness":
        return _Witness(self._seconds, stream, self._settings.unchanged_agree_bp, now)

    def _watch(self, stream: Stream) -> StreamWatch | None:
        """Return what is kept of a stream; beyond the bound none is, and nothing of it is used."""
        watch = self._watches.get(stream)
        if watch is None and len(self._watches) < STREAMS_MAX:
            watch = self._watches[stream] = StreamWatch(stream, self._settings)
        return watch

    def _future(self, reading: Reading, now: Instant) -> Complaint:
        assert reading.venue_ms is not None
        ahead = f"{shown(reading.value)} stamped {reading.venue_ms - now.wall_ms} ms ahead"
        return Complaint("future", "refused", ahead, f"{self._settings.future_ms_max} ms")

    def _note(
        self, watch: StreamWatch, complaint: Complaint, now: Instant, *, blocks: bool
    ) -> None:
        stream = watch.stream
        found = self._findings.note(stream.name, stream.asset, complaint, now, blocks=blocks)
        self._keep_new(found)

    def _keep_new(self, found: QualityFinding | None) -> None:
        if found is not None:
            self._new.append(found)


class _Witness:
    """Asks the second sources about a price that stands still."""

    def __init__(
        self, seconds: SecondSources, stream: Stream, within_bp: int, now: Instant
    ) -> None:
        self._seconds = seconds
        self._stream = stream
        self._within_bp = within_bp
        self._now = now

    def __call__(self, value: int) -> Opinion:
        return self._seconds.ask(self._stream, value, self._within_bp, self._now)


def _nobody(value: int) -> Opinion:
    """Say what anybody can about a value of the past."""
    return Opinion("unknown", "nobody says anything of the past")


def _backwards(reading: Reading, now: Instant) -> Complaint:
    assert reading.venue_ms is not None
    behind = f"{shown(reading.value)} stamped {now.wall_ms - reading.venue_ms} ms ago, told as new"
    return Complaint("backwards", "suspect", behind, "not before the stamp of the last one")

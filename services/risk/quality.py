"""DQ-1 to DQ-9 as risk carries them out: state says what is wrong, risk stops the asset.

The one place where doubtful data stops trading. Here it also cancels, stands in the trail, waits
for clean data (RV-1), and leaves the books valid by which positions are closed. What state has not
said lately is unknown, and unknown stops as well. A price that has fallen silent places nothing
new; one that is wrong cancels too.
"""

from collections.abc import Iterator

from services.risk.degradation import Cause
from services.risk.notes import Severity
from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Message, Received
from shared.facts import QualityFinding, StateQuality
from shared.switches import DATA_QUALITY
from shared.topics import STATE
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

TOLD_MAX = 256
"""Findings that were told to people are remembered, so that each is told once."""

STALE = ("stale", "unchanged")

SEEN_NS = NS_PER_S
"""What is stale is looked at ten times a second: not seen for so long it is not stale any more."""


class _Told:
    """State's newest word on the data."""

    def __init__(self) -> None:
        self.findings: tuple[QualityFinding, ...] = ()
        self.sent_ns: MonotonicNs | None = None

    def hear(self, message: Message) -> bool:
        """Take a message in if it is that word; return whether it was."""
        if not isinstance(message, Received) or message.component != STATE:
            return False
        if not isinstance(message.body, StateQuality):
            return False
        self.findings, self.sent_ns = message.body.findings, message.sent_ns
        return True


class QualitySource:
    """Draws one sample an asset and kind of trouble."""

    def __init__(self, config: Config) -> None:
        """Begin with nothing told: every asset is in doubt."""
        self._assets = config.markets.assets
        self._silent_ns = config.timing.state_stale_ms * NS_PER_MS
        self._told = _Told()
        self._known: dict[tuple[str, str, int], None] = {}
        self._new: list[QualityFinding] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take state's word."""
        if not self._told.hear(message):
            return
        for found in self._told.findings:
            # A stamp of the future is told once it is no exception any more (DQ-4).
            is_exception = found.check == "future" and found.count < 2
            key = (found.stream, found.check, found.since_ns)
            if is_exception or key in self._known:
                continue
            if len(self._known) >= TOLD_MAX:
                self._known.pop(next(iter(self._known)))
            self._known[key] = None
            self._new.append(found)

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield what is wrong with each asset, and once what people should know."""
        silence = self._silence(now)
        for asset in self._assets:
            key: ScopeKey = ("asset", asset)
            found = [one for one in self._told.findings if one.asset == asset and one.blocks]
            stale = [one for one in found if one.check in STALE]
            wrong = [one for one in found if one.check not in STALE]
            why = silence or _words(stale)
            yield Sample(DATA_QUALITY, "stale", key, bool(why), why, cancel=False)
            yield Sample(DATA_QUALITY, "wrong", key, bool(wrong), _words(wrong))
        for one in self._new:
            severity: Severity = "critical" if one.blocks else "warning"
            text = f"{_words([one])}, seen {one.count} times"
            yield Notice(severity, f"data_{one.check}", text, DATA_QUALITY.runbook)
        self._new.clear()

    def _silence(self, now: Instant) -> str:
        """Return that state has said nothing lately, empty when it has."""
        sent_ns = self._told.sent_ns
        if sent_ns is None:
            return "state has said nothing of its data"
        age_ns = now.monotonic_ns - sent_ns
        if age_ns < self._silent_ns:
            return ""
        return f"state has said nothing of its data for {age_ns / NS_PER_S:.1f} s"


class QualityCauses:
    """What of it asks for a level of degradation."""

    def __init__(self, config: Config) -> None:
        """Begin with nothing told."""
        self._emergency_ns = config.quality.emergency_ms * NS_PER_MS
        self._suspects_max = config.quality.suspects_max
        self._told = _Told()

    def hear(self, message: Message) -> None:
        """Take state's word."""
        self._told.hear(message)

    def holding(self, now: Instant) -> Iterator[Cause]:
        """Yield what holds.

        While good updates gather a stream is not stale any more, although it still stops its
        asset: no emergency begins or goes on then.
        """
        for found in self._told.findings:
            lasted_ns = found.last_ns - found.since_ns
            is_over = now.monotonic_ns - found.last_ns >= SEEN_NS
            is_stale = found.blocks and found.check in STALE and not is_over
            if is_stale and lasted_ns >= self._emergency_ns:
                yield Cause("EMERGENCY", f"{found.stream} {found.check}", _words([found]))
            elif found.verdict == "degraded":
                yield Cause("REDUCED", f"{found.stream} corrupt", _words([found]))
            elif found.verdict == "suspect" and found.count > self._suspects_max:
                yield Cause("REDUCED", f"{found.stream} suspect", _words([found]))


def _words(found: list[QualityFinding]) -> str:
    return "; ".join(
        f"{one.stream}: {one.check}, {one.value}, limit {one.limit}"
        + (f", {one.second}" if one.second else "")
        for one in found
    )

"""CB-3 on perpetual futures: price, funding and depth as no market has them, and whether true.

What is abnormal pauses the asset for a minute at least; positions are kept. The venue's answers to
questions are the second source: they agree, and the number is real and the new usual one; they
contradict, and it is an error, which the feed reads anew over another connection before anything
goes on; they say nothing, and it stays paused. A feed that is silent, lost or not wanted trips
nothing by itself: no order rests on it, and the level says that it is missing. Pure.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from services.risk.abnormal import DOUBT_EVERY_NS, Session, Verdict
from services.risk.perp_measures import Measure, measures
from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Effect, Message, Publish, Received
from shared.facts import FeedStatus, PerpBook, PerpContext, PerpDoubted
from shared.identifiers import Asset
from shared.switches import ABNORMAL_MARKET
from shared.topics import FEED_PERP
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs

PAST_MAX: Final = 240
"""Numbers remembered of one measure: a mark price every quarter second of a minute."""

APART_MAX: Final = 2
"""Answers in a row that contradict, before it is an error: one may have been on its way while the
number changed."""

ANSWER_NS: Final = 3 * NS_PER_S
"""From a question's time to its answer, at most: its deadline and a little."""


class _Told(msgspec.Struct, frozen=True):
    """A number, and when it was told; one of an answer, when it was asked for."""

    value: int
    at_ns: MonotonicNs


class _Watched:
    """One measure of one asset: both sources, what was usual, and what is abnormal now."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.first: _Told | None = None
        self.second: _Told | None = None
        self.apart = 0
        self.past: deque[_Told] = deque(maxlen=PAST_MAX)
        self.why = ""
        self.since_ns = BootNs(0)
        self.began_ns = MonotonicNs(0)

    def take(self, told: _Told, now: Instant) -> None:
        """Take a number of the socket, and see whether it is too far from what was usual."""
        self.first = told
        past = self.past
        while past and told.at_ns - past[0].at_ns >= self.measure.span_ns:
            past.popleft()
        if self.why:
            return
        self.why = self.measure.odd(told.value, [one.value for one in past])
        if self.why:
            self.since_ns, self.began_ns = now.boot_ns, now.monotonic_ns
            self.apart = 0
        elif not past or told.at_ns - past[-1].at_ns >= self.measure.every_ns:
            past.append(told)

    def compare(self, told: _Told) -> None:
        """Take an answer, and count those in a row that the socket contradicts."""
        self.second = told
        if self.first is None or self.measure.agree(self.first.value, told.value):
            self.apart = 0
        else:
            self.apart += 1

    def believe(self) -> None:
        """Begin anew with the number that was confirmed: it is the usual one now."""
        self.past.clear()
        self.why = ""
        if self.first is not None:
            self.past.append(self.first)


class _Doubt(msgspec.Struct, frozen=True):
    """An asset's data were found to be an error.

    Attributes:
        session: Connection over which they came.
        at_ns: When they were last doubted.
    """

    fact: PerpDoubted
    session: Session | None
    at_ns: BootNs


class AbnormalPerps:
    """Draws CB-3 from the feed of perpetual futures."""

    def __init__(self, config: Config) -> None:
        """Know nothing yet."""
        self._settings = config.abnormal
        self._stale_ns = {
            PerpContext: config.perp.context_stale_ms * NS_PER_MS,
            PerpBook: config.perp.book_stale_ms * NS_PER_MS,
        }
        self._second_ns = 2 * config.perp.sample_ms * NS_PER_MS + ANSWER_NS
        assets = config.markets.assets if config.perp.enabled else ()
        self._assets = {
            Asset(asset): tuple(_Watched(one) for one in measures(config.abnormal))
            for asset in assets
        }
        self._session: Session | None = None
        self._ready_ns = MonotonicNs(0)
        self._doubts: dict[Asset, _Doubt] = {}
        self._count = 0
        self._repeated_ns = 0

    def hear(self, message: Message, now: Instant) -> None:
        """Take what the feed tells, and the number of its connection."""
        if not isinstance(message, Received) or message.component != FEED_PERP:
            return
        body = message.body
        if isinstance(body, FeedStatus):
            if body.connected:
                self._session = (message.incarnation, body.session)
                self._ready_ns = body.since_ns
        elif isinstance(body, PerpContext | PerpBook) and body.asset in self._assets:
            for watched in self._assets[body.asset]:
                value = watched.measure.of(body)
                if value is None:
                    continue
                told = _Told(value, body.received_ns)
                if body.source == "rest":
                    watched.compare(told)
                else:
                    watched.take(told, now)

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield one sample a measure and asset, and what is to be read anew."""
        for asset, each in self._assets.items():
            for watched in each:
                yield from self._look(asset, watched, now)
            if not any(watched.why for watched in each):
                self._doubts.pop(asset, None)
        if now.monotonic_ns >= self._repeated_ns + DOUBT_EVERY_NS:
            self._repeated_ns = now.monotonic_ns
            for doubt in self._doubts.values():
                yield Publish("risk.perp_doubted", doubt.fact, now.monotonic_ns)

    def _look(
        self, asset: Asset, watched: _Watched, now: Instant
    ) -> Iterator[Sample | Notice | Effect]:
        key: ScopeKey = ("asset", asset)
        name = watched.measure.name
        if not watched.why:
            yield Sample(ABNORMAL_MARKET, name, key, False, "")
            return
        verdict, said = self._judge(watched, now)
        if verdict == "error":
            yield from self._doubt(asset, f"{watched.why}; {said}", now)
        rested = now.boot_ns >= watched.since_ns + self._settings.pause_ms * NS_PER_MS
        if not (rested and verdict == "real" and self._is_read_anew(asset, watched)):
            yield Sample(ABNORMAL_MARKET, name, key, True, f"{watched.why}; {said}")
            return
        text = f"{asset}: {watched.why}; {said}"
        watched.believe()
        yield Sample(ABNORMAL_MARKET, name, key, False, "")
        yield Notice("warning", "abnormal_market_over", text, ABNORMAL_MARKET.runbook)

    def _judge(self, watched: _Watched, now: Instant) -> tuple[Verdict, str]:
        """Return what the second source makes of the newest number, and how to say it."""
        first, second, measure = watched.first, watched.second, watched.measure
        kind = PerpBook if measure.name == "depth" else PerpContext
        if first is None or now.monotonic_ns - first.at_ns > self._stale_ns[kind]:
            return "unknown", "the socket is silent"
        is_old = second is None or now.monotonic_ns - second.at_ns > self._second_ns
        if second is None or is_old or second.at_ns < watched.began_ns:
            return "unknown", "no answer says anything yet"
        both = f"socket {measure.words(first.value)}, answer {measure.words(second.value)}"
        if measure.agree(first.value, second.value):
            return "real", f"confirmed: {both}"
        if watched.apart < APART_MAX:
            return "unknown", f"contradicted once: {both}"
        return "error", f"contradicted: {both}"

    def _doubt(self, asset: Asset, said: str, now: Instant) -> Iterator[Notice]:
        """Doubt an asset's data, and again while they stay contradicted."""
        known = self._doubts.get(asset)
        every_ns = self._settings.rebuild_every_ms * NS_PER_MS
        if known is not None and now.boot_ns < known.at_ns + every_ns:
            return
        self._count += 1
        fact = PerpDoubted(asset, self._count, said)
        self._doubts[asset] = _Doubt(fact, self._session, now.boot_ns)
        self._repeated_ns = 0
        text = f"{asset}: {said}"
        yield Notice("critical", "perp_error", text, ABNORMAL_MARKET.runbook)

    def _is_read_anew(self, asset: Asset, watched: _Watched) -> bool:
        """Tell whether the number came over a connection newer than that of an error."""
        doubt = self._doubts.get(asset)
        if doubt is None:
            return True
        is_newer = self._session is not None and self._session != doubt.session
        return is_newer and watched.first is not None and watched.first.at_ns >= self._ready_ns

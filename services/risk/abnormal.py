"""CB-3: a reference price that moves as no market does, and whether it is true. Pure.

An asset whose price moves too far within a minute rests for a minute, positions are kept, and a
second source is asked. It agrees: the move is real and trading goes on. It contradicts: the price
is an error, feed and state rebuild it from a new connection, and only a price of that connection
with which the second source agrees ends the pause. It says nothing: unknown, and the pause stays.

Prices of outcome tokens run to 0 or 1 by nature and are not judged here. Depth, funding and price
of perpetual futures are judged in `abnormal_perps.py`.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal

from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from services.risk.source import Notice
from shared.config import Config
from shared.effects import Effect, Message, Publish, Received
from shared.facts import FeedStatus, PricesDoubted, ReferencePrice
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE
from shared.switches import ABNORMAL_MARKET
from shared.topics import FEED_PRICE
from shared.units import NS_PER_MS, BootNs, Instant, WallMs

TICKS_MAX: Final = 2_000
"""Of one asset in the window: 60 s at the simulator's fastest step, 50 ms, and more."""

DOUBT_EVERY_NS: Final = 500 * NS_PER_MS
"""A fact may be lost: a doubt is repeated, under its number, until another one follows."""

Session = tuple[int, int]
"""Incarnation of the price feed, and its connection."""

Verdict = Literal["real", "error", "unknown"]


class _Watched:
    """One asset: the last minute of its price, the second opinion, and what is doubted."""

    def __init__(self) -> None:
        self.ticks: deque[ReferencePrice] = deque(maxlen=TICKS_MAX)
        self.second: ReferencePrice | None = None
        self.why = ""
        self.since_ns = BootNs(0)
        self.since_ms = WallMs(0)
        self.doubted_in: Session | None = None
        self.doubted_ns: int | None = None
        self.doubt: PricesDoubted | None = None


class AbnormalSource:
    """Draws CB-3 from the ticks of the price feed."""

    def __init__(self, config: Config) -> None:
        """Know no price yet; that there is none is KS-3's."""
        self._settings = config.abnormal
        self._primary_stale_ns = config.timing.oracle_pause_ms * NS_PER_MS
        self._assets = {Asset(asset): _Watched() for asset in config.markets.assets}
        self._session: Session | None = None
        self._doubts = 0
        self._repeated_ns = 0

    def hear(self, message: Message, now: Instant) -> None:
        """Take a tick, or the number of the price feed's connection."""
        if not isinstance(message, Received):
            return
        body = message.body
        if isinstance(body, FeedStatus) and message.component == FEED_PRICE and body.connected:
            self._session = (message.incarnation, body.session)
        elif isinstance(body, ReferencePrice) and body.asset in self._assets:
            watched = self._assets[body.asset]
            if body.source == SPOT_SOURCE:
                self._take(watched, body, now)
            elif body.source == self._settings.second_source:
                second = watched.second
                is_old = second is not None and body.venue_ms < second.venue_ms
                watched.second = second if is_old else body

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield one sample an asset, and what is to be rebuilt."""
        for asset, watched in self._assets.items():
            key: ScopeKey = ("asset", asset)
            if not watched.why:
                yield Sample(ABNORMAL_MARKET, "", key, False, "")
                continue
            verdict, said = self._judge(watched, now)
            if verdict == "error":
                yield from self._rebuild(asset, watched, said, now)
            rested = now.boot_ns >= watched.since_ns + self._settings.pause_ms * NS_PER_MS
            if rested and verdict == "real" and self._is_rebuilt(watched):
                self._believe(watched)
                yield Sample(ABNORMAL_MARKET, "", key, False, "")
                text = f"{asset}: {watched.why}; {said}"
                yield Notice("warning", "abnormal_market_over", text, ABNORMAL_MARKET.runbook)
                watched.why = ""
            else:
                yield Sample(ABNORMAL_MARKET, "", key, True, f"{watched.why}; {said}")
        if now.monotonic_ns >= self._repeated_ns + DOUBT_EVERY_NS:
            self._repeated_ns = now.monotonic_ns
            for watched in self._assets.values():
                if watched.doubt is not None:
                    yield Publish("risk.doubted", watched.doubt, now.monotonic_ns)

    def _take(self, watched: _Watched, tick: ReferencePrice, now: Instant) -> None:
        """Take a tick of the first source, and see whether it is too far from the last minute."""
        ticks = watched.ticks
        if ticks and tick.venue_ms < ticks[-1].venue_ms:
            return
        while ticks and tick.venue_ms - ticks[0].venue_ms >= self._settings.move_ms:
            ticks.popleft()
        if not watched.why:
            found = self._moved(ticks, tick)
            if found is not None:
                watched.why = _words(found, tick)
                watched.since_ns, watched.since_ms = now.boot_ns, tick.venue_ms
                watched.doubted_in = watched.doubted_ns = None
        ticks.append(tick)

    def _moved(self, ticks: deque[ReferencePrice], tick: ReferencePrice) -> ReferencePrice | None:
        """Return the tick of the window from which a new one is too far, None without one."""
        if not ticks:
            return None
        limit = self._settings.move_percent_max
        for extreme in (min(ticks, key=_value), max(ticks, key=_value)):
            if abs(tick.value_e18 - extreme.value_e18) * 100 > limit * extreme.value_e18:
                return extreme
        return None

    def _judge(self, watched: _Watched, now: Instant) -> tuple[Verdict, str]:
        """Return what the second source makes of the newest price, and how to say it."""
        first = watched.ticks[-1]
        second = watched.second
        stale_ns = self._settings.second_stale_ms * NS_PER_MS
        if now.monotonic_ns - first.received_ns > self._primary_stale_ns:
            return "unknown", f"{first.source} is silent"
        if second is None or now.monotonic_ns - second.received_ns > stale_ns:
            return "unknown", "no second source says anything"
        apart = abs(first.value_e18 - second.value_e18) * 100
        both = f"{first.source} {_usd(first)}, {second.source} {_usd(second)}"
        if apart > self._settings.agree_percent_max * second.value_e18:
            return "error", f"contradicted: {both}"
        return "real", f"confirmed: {both}"

    def _rebuild(
        self, asset: Asset, watched: _Watched, said: str, now: Instant
    ) -> Iterator[Notice]:
        """Doubt an asset's prices, and again while they stay contradicted."""
        every_ns = self._settings.rebuild_every_ms * NS_PER_MS
        if watched.doubted_ns is not None and now.boot_ns < watched.doubted_ns + every_ns:
            return
        self._doubts += 1
        watched.doubted_in, watched.doubted_ns = self._session, now.boot_ns
        watched.doubt = PricesDoubted(asset, self._doubts, watched.since_ms, said)
        self._repeated_ns = 0
        text = f"{asset}: {watched.why}; {said}"
        yield Notice("critical", "price_error", text, ABNORMAL_MARKET.runbook)

    def _is_rebuilt(self, watched: _Watched) -> bool:
        """Tell whether the price comes over a connection newer than that of the error."""
        if watched.doubted_ns is None:
            return True
        return self._session is not None and self._session != watched.doubted_in

    def _believe(self, watched: _Watched) -> None:
        """Begin a new minute with the price that was confirmed."""
        newest = watched.ticks[-1]
        watched.ticks.clear()
        watched.ticks.append(newest)
        watched.doubt = None


def _value(tick: ReferencePrice) -> int:
    return tick.value_e18


def _usd(tick: ReferencePrice) -> str:
    return f"{tick.value_e18 / 10**18:.2f}"


def _words(before: ReferencePrice, tick: ReferencePrice) -> str:
    percent = 100 * (tick.value_e18 - before.value_e18) / before.value_e18
    seconds = (tick.venue_ms - before.venue_ms) / 1_000
    return f"{percent:+.1f} % in {seconds:.0f} s: {_usd(before)} to {_usd(tick)}"

"""Plays a recording of the real market stream: one market, at its recorded distances.

Shows the market under a window of the present, since readers look for markets by the clock,
and folds the frames as recorded, hashes and all. The market ends with the recording: it
resolves if the outcome was recorded, and stays unresolved, which the log says, if it was not.
Played from the start again by a process that is started again. The reference price stands
still where none was recorded. Readers are served the recorded levels less what our orders
took, and our resting orders among them, under stamps and hashes of the present.
"""

from collections.abc import Callable

import msgspec

from services.simulator.markets import Market
from services.simulator.mirror.prices import StandingPrice
from services.simulator.mirror.recording import Recording, Take
from services.simulator.mirror.venue import MirrorVenue
from shared.config import Config
from shared.effects import Effect, Log
from shared.facts import MarketInfo, ReferencePrice
from shared.identifiers import Asset
from shared.units import NS_PER_MS, NS_PER_S, Instant, WallMs
from shared.venue.slugs import Window, window_slug

MARGIN_NS = 60 * NS_PER_S
"""What of the window should be left when the recording ends."""

_NUMBER = "1"
_E10 = 10**10


class Player:
    """Gives the mirror one recorded text after the other.

    Attributes:
        state: `standing` on the first book, `playing`, or `ended`.
    """

    def __init__(
        self,
        venue: MirrorVenue,
        recording: Recording,
        config: Config,
        is_watched: Callable[[Market], bool],
        price: StandingPrice | None,
    ) -> None:
        """Set what to play, and how to tell whether anybody reads the market's books.

        Args:
            venue: Who hears what was recorded.
            recording: What to play.
            config: Speed, pause, window.
            is_watched: Whether anybody reads the market's books.
            price: Where recorded prices go; None when the assets have none.
        """
        self._venue = venue
        self._recording = recording
        self._config = config
        self._is_watched = is_watched
        self._price = price
        self._market: Market | None = None
        self._next = 0
        self._begin_ns: int | None = None
        self.state = "standing"

    def on_tick(self, now: Instant) -> list[Effect]:
        """Play what is due."""
        if self.state == "ended":
            return []
        if self._market is None:
            return self._list(now)
        if self._begin_ns is None:
            if not self._is_watched(self._market):
                return []
            pause_ns = self._config.mirror.start_after_ms * NS_PER_MS
            self._begin_ns = now.monotonic_ns + pause_ns
            self.state = "playing"
        takes = self._recording.takes
        while self._next < len(takes) and self._due_ns(self._next) <= now.monotonic_ns:
            self._play(takes[self._next], now)
            self._next += 1
        self._judge(now)
        if self._next < len(takes) and self._market.is_trading:
            return []
        return self._end()

    def next_ns(self) -> int | None:
        """Return when the next text is due."""
        if self._begin_ns is None or self.state == "ended":
            return None
        return self._due_ns(min(self._next, len(self._recording.takes) - 1))

    def _is_at_first(self, number: int) -> bool:
        takes = self._recording.takes
        return number < len(takes) and takes[number].offset_ns == 0

    def _due_ns(self, number: int) -> int:
        assert self._begin_ns is not None
        offset_ns = self._recording.takes[number].offset_ns
        return self._begin_ns + round(offset_ns / self._config.mirror.speed)

    def _list(self, now: Instant) -> list[Effect]:
        """List the market under a window of the present, and stand on its first book."""
        info = self._shown_info(now)
        self._venue.follow(info, _NUMBER, now)
        self._market = self._venue.market_of(info.condition_id)
        assert self._market is not None
        if not self._market.is_trading:
            self.state = "ended"  # it had ended in the life before
            return []
        while not self._next or self._is_at_first(self._next):
            self._play(self._recording.takes[self._next], now)
            self._next += 1
        fields = {
            "slug": self._market.slug,
            "takes": len(self._recording.takes),
            "seconds": self._recording.length_ns / NS_PER_S,
            "left_out": self._recording.left_out,
            "has_prices": self._recording.has_prices,
        }
        return [Log("mirror.recording", fields)]

    def _shown_info(self, now: Instant) -> MarketInfo:
        """Return the market in the running window, or in the next if it would end too soon."""
        interval_s = self._config.markets.interval_s
        length_ns = round(self._recording.length_ns / self._config.mirror.speed) + MARGIN_NS
        length_ns += self._config.mirror.start_after_ms * NS_PER_MS
        start_s = now.wall_ns // NS_PER_S // interval_s * interval_s
        if (start_s + interval_s) * NS_PER_S - now.wall_ns < length_ns:
            start_s += interval_s
        asset = Asset(self._config.markets.assets[0])
        return msgspec.structs.replace(
            self._recording.info,
            slug=window_slug(Window(asset, interval_s, start_s)),
            asset=asset,
            start_ms=WallMs(start_s * 1_000),
            end_ms=WallMs((start_s + interval_s) * 1_000),
            active=True,
            closed=False,
            accepting_orders=True,
            winner=None,
        )

    def _play(self, take: Take, now: Instant) -> None:
        for event in take.events:
            if not isinstance(event, ReferencePrice):
                self._venue.take(event, now.monotonic_ns, now)
            elif self._price is not None:
                self._price.put(event.value_e18 // _E10)
        self._judge(now)

    def _judge(self, now: Instant) -> None:
        for followed in list(self._venue.followed.values()):
            self._venue.judge(followed, "", now)

    def _end(self) -> list[Effect]:
        assert self._market is not None
        self.state = "ended"
        winner = self._recording.winner
        fields = {"slug": self._market.slug, "winner": winner}
        if winner is not None:
            self._venue.resolve(self._market, winner)
            return [Log("mirror.recording_ended", fields)]
        self._venue.end(self._market)
        # Nobody recorded who won: its shares stay what they are.
        return [Log("mirror.recording_ended_unresolved", fields, "warning")]

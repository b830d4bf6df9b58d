"""Whether the venue lets people trade from this address: asked for again and again (KS-5).

Asks the venue's own page about the address that asks, and says what was answered, when, and
how often it was not. Unknown is never open and never blocked; what is made of it is risk's
and the gate's. The address itself is told to nobody.

Source: https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
"""

from services.feed.requests import Reads
from shared.config import AccessSettings
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import PlaceFact
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import GEOBLOCK, GEOBLOCK_PATH
from shared.venue.places import PlaceVerdict, judge_place
from shared.venue.wire import decode

PLACE_LANE = "place"

TOLD_EVERY_NS = NS_PER_S

AGAIN_NS = 2 * NS_PER_S
"""After a question without an answer, unless the usual time is shorter."""

FIRST_NUMBER = 1 << 40
"""Requests of this watch count from here: the calendar's never reach so far."""

OK = 200


class PlaceWatch:
    """The newest answer about our address, and what came after it."""

    def __init__(self, access: AccessSettings, deadline_ns: int) -> None:
        """Begin knowing nothing."""
        self._every_ns = access.geoblock_every_ms * NS_PER_MS
        self._agreed = frozenset(country.upper() for country in access.countries_agreed)
        self._reads: Reads[MonotonicNs] = Reads(deadline_ns, 1, first=FIRST_NUMBER)
        self._ask_ns = 0
        self._tell_ns = 0
        self._verdict: PlaceVerdict | None = None
        self._asked_ns: MonotonicNs | None = None
        self._failures = 0
        self._text = "not asked yet"

    def on_reply(self, reply: HttpReply, now: Instant) -> list[Effect] | None:
        """Take an answer; None when it is to somebody else's question."""
        asked_ns = self._reads.finish(reply.request_id)
        if asked_ns is None:
            return None
        if reply.status != OK:
            return self._fail(f"answered by {reply.status}", now)
        try:
            place = decode(GEOBLOCK, reply.body, "geoblock")
        except WireFault as fault:
            return self._fail(f"unreadable: {fault}", now)
        before, self._verdict = self._verdict, judge_place(place, self._agreed)
        self._asked_ns = asked_ns
        self._failures = 0
        self._text = f"{place.country} {place.region}".strip() or "no country named"
        if self._verdict == before:
            return []
        level = "info" if self._verdict == "open" else "critical"
        return [
            Log("place", {"verdict": self._verdict, "place": self._text}, level),
            self.fact(now),
        ]

    def on_failed(self, failure: HttpFailed, now: Instant) -> list[Effect] | None:
        """Take the lack of an answer; None when it concerns somebody else's question."""
        if self._reads.finish(failure.request_id) is None:
            return None
        return self._fail(failure.reason, now)

    def on_tick(self, now: Instant) -> list[Effect]:
        """Ask and tell when it is time."""
        effects: list[Effect] = []
        if now.monotonic_ns >= self._ask_ns and not self._reads.is_full:
            self._ask_ns = now.monotonic_ns + self._every_ns
            ask = self._reads.ask(GEOBLOCK_PATH, now.monotonic_ns, now, lane=PLACE_LANE)
            effects.append(ask)
        if now.monotonic_ns >= self._tell_ns:
            effects.append(self.fact(now))
        return effects

    def fact(self, now: Instant) -> Publish:
        """Return what is known, as it is published."""
        self._tell_ns = now.monotonic_ns + TOLD_EVERY_NS
        verdict = self._verdict or "unknown"
        fact = PlaceFact(verdict, self._asked_ns, self._failures, self._text)
        return Publish("feed.place", fact, self._asked_ns or now.monotonic_ns)

    def _fail(self, why: str, now: Instant) -> list[Effect]:
        self._failures += 1
        self._text = why
        self._ask_ns = min(self._ask_ns, now.monotonic_ns + AGAIN_NS)
        return [Log("place.unanswered", {"why": why, "failures": self._failures}, "warning")]

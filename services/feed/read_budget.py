"""How fast a feed may read: set ahead for each family of endpoints, halved when the venue says so.

Every family has a bucket below what the venue allows. Reads that trading rests on may empty it;
those that can wait leave a part of it, and those about the past a larger one. A 429 halves the
pace, once for all that were under way, and nothing of that family is read for a moment that
chance makes longer. The pace grows back evenly and is whole after five clean minutes. Meanwhile
polling is as much slower, and what is cached is shown with its age by whoever holds it.

Slow answers and other refusals are evidence too: what is strained says so, and for how long.
Decides; reads nothing.

Source of the venue's limits: https://docs.polymarket.com/api-reference/rate-limits (2026-09-28):
/markets 300 and /events 500 in 10 s, both together 900; excess is delayed first, then refused.
"""

from collections import deque
from collections.abc import Mapping
from typing import Literal

import msgspec

from services.feed.chance import Chance
from shared.units import NS_PER_MS, NS_PER_S, Instant

Urgency = Literal["critical", "usual", "history"]

RESERVED_PERCENT: dict[Urgency, int] = {"critical": 0, "usual": 30, "history": 60}
"""What of a full bucket a read leaves for more urgent ones."""

WHOLE = 1_000
"""The pace set ahead, in parts of a thousand."""

PACE_MIN = 62
"""Four halvings: a calendar that is asked for less than that grows stale anyway."""

RECOVERS_NS = 300 * NS_PER_S
"""Clean time after which the pace is whole again."""

HALVED_EVERY_NS = NS_PER_S
"""Refusals of reads that were under way together are one."""

PAUSE_NS = NS_PER_S
PAUSE_JITTER_NS = NS_PER_S // 2
RETRY_AFTER_NS_MAX = 60 * NS_PER_S
"""A refusal may ask for more; then it is refused once more, and the pace is halved again."""

DIGITS_MAX = 9
"""Of a Retry-After: more is no number of seconds that anybody means."""

LATENCIES_KEPT = 32
LATENCIES_MIN = 8
SLOW_TIMES = 4
SLOW_FLOOR_NS = 500 * NS_PER_MS
"""The middle of the last answers is so many times the fastest middle, and this slow at least: the
venue queues what is too much before it refuses any."""

REFUSALS_MAX = 3
REFUSALS_OVER_NS = 10 * NS_PER_S
"""Refusals and failures within such a time, from which on they are no episode."""


class Family(msgspec.Struct, frozen=True):
    """Endpoints that the venue counts together.

    Attributes:
        prefixes: How their paths begin.
        per_s: Reads a second that we allow ourselves.
        burst: Reads at once.
    """

    name: str
    prefixes: tuple[str, ...]
    per_s: int
    burst: int


MARKETS = Family("markets", ("/markets",), per_s=25, burst=10)
EVENTS = Family("events", ("/events", "/series"), per_s=10, burst=5)
"""Five sixths of the one limit and a fifth of the other, both below their common one."""

FAMILIES = (MARKETS, EVENTS)


class ReadBudget:
    """One family: its bucket, its pace, and how the venue has answered."""

    def __init__(self, family: Family, seed: int) -> None:
        """Start with a full bucket and the whole pace.

        Args:
            family: Which endpoints.
            seed: Of the jitter.
        """
        self.family = family
        self._chance = Chance(seed)
        self._tokens_e9 = family.burst * NS_PER_S
        self._filled_ns: int | None = None
        self._pace = WHOLE
        self._halved_ns: int | None = None
        self._held_until_ns = 0
        self._latencies: deque[int] = deque(maxlen=LATENCIES_KEPT)
        self._usual_ns: int | None = None
        self._refusals: deque[int] = deque(maxlen=REFUSALS_MAX)
        self._strained_ns: int | None = None

    def pace(self, now: Instant) -> int:
        """Return the pace in parts of a thousand of what is set ahead."""
        if self._halved_ns is None:
            return WHOLE
        clean_ns = now.monotonic_ns - self._halved_ns
        if clean_ns >= RECOVERS_NS:
            return WHOLE
        return self._pace + (WHOLE - self._pace) * clean_ns // RECOVERS_NS

    def stretched(self, every_ns: int, now: Instant) -> int:
        """Return how often something is polled that is usually polled every so often."""
        return every_ns * WHOLE // self.pace(now)

    def take(self, urgency: Urgency, now: Instant) -> bool:
        """Take one read out of the bucket; False when it has to wait."""
        self._fill(now)
        reserved = self.family.burst * RESERVED_PERCENT[urgency] * NS_PER_S // 100
        if now.monotonic_ns < self._held_until_ns or self._tokens_e9 - NS_PER_S < reserved:
            return False
        self._tokens_e9 -= NS_PER_S
        return True

    def answered(self, took_ns: int) -> None:
        """Note an answer, and how long it took."""
        self._latencies.append(took_ns)
        middle = self._middle_ns()
        if middle is not None:
            self._usual_ns = middle if self._usual_ns is None else min(self._usual_ns, middle)

    def refused(self, now: Instant, retry_after_s: int | None = None) -> None:
        """Note a 429: halve the pace and read nothing for a moment."""
        self._refusals.append(now.monotonic_ns)
        pause = PAUSE_NS
        if retry_after_s is not None:
            pause = max(pause, min(retry_after_s * NS_PER_S, RETRY_AFTER_NS_MAX))
        pause += self._chance.below(PAUSE_JITTER_NS)
        self._held_until_ns = max(self._held_until_ns, now.monotonic_ns + pause)
        last = self._halved_ns
        if last is None or now.monotonic_ns - last >= HALVED_EVERY_NS:
            self._fill(now)
            self._pace = max(PACE_MIN, self.pace(now) // 2)
            self._halved_ns = now.monotonic_ns

    def failed(self, now: Instant) -> None:
        """Note a read without an answer, or with a refusal that is no limit."""
        self._refusals.append(now.monotonic_ns)

    def strain(self, now: Instant) -> str:
        """Return why reads are not as they should be; empty when they are."""
        words = []
        pace = self.pace(now)
        if pace < WHOLE:
            words.append(f"{self.family.name} at {pace // 10} % of the pace after a 429")
        recent = [at for at in self._refusals if now.monotonic_ns - at < REFUSALS_OVER_NS]
        if len(recent) >= REFUSALS_MAX:
            words.append(f"{self.family.name} refused or unanswered {len(recent)} times in a row")
        middle = self._middle_ns()
        if middle is not None and self._is_slow(middle):
            words.append(f"{self.family.name} answers in {middle // NS_PER_MS} ms")
        if not words:
            self._strained_ns = None
        elif self._strained_ns is None:
            self._strained_ns = now.monotonic_ns
        return "; ".join(words)

    def strained_for_ns(self, now: Instant) -> int:
        """Return for how long `strain` has said something without a pause, 0 for not."""
        return 0 if self._strained_ns is None else now.monotonic_ns - self._strained_ns

    def _fill(self, now: Instant) -> None:
        if self._filled_ns is not None:
            grown = (now.monotonic_ns - self._filled_ns) * self.family.per_s
            grown = grown * self.pace(now) // WHOLE
            self._tokens_e9 = min(self.family.burst * NS_PER_S, self._tokens_e9 + grown)
        self._filled_ns = now.monotonic_ns

    def _middle_ns(self) -> int | None:
        if len(self._latencies) < LATENCIES_MIN:
            return None
        return sorted(self._latencies)[len(self._latencies) // 2]

    def _is_slow(self, middle_ns: int) -> bool:
        usual = self._usual_ns or middle_ns
        return middle_ns >= max(SLOW_FLOOR_NS, SLOW_TIMES * usual)


class ReadBudgets:
    """The budgets of one feed, by family."""

    def __init__(self, families: tuple[Family, ...], seed: int) -> None:
        """Start with all of them whole."""
        self._budgets = tuple(
            ReadBudget(family, seed + place) for place, family in enumerate(families)
        )

    def of(self, path: str) -> ReadBudget:
        """Return the budget that a path is counted in; each has one."""
        for budget in self._budgets:
            if path.startswith(budget.family.prefixes):
                return budget
        raise AssertionError(f"{path} is in no family")

    def strain(self, now: Instant) -> tuple[str, int]:
        """Return what is strained in words, and for how many ns; ("", 0) when nothing is."""
        said = [budget.strain(now) for budget in self._budgets]
        longest = max(budget.strained_for_ns(now) for budget in self._budgets)
        return "; ".join(words for words in said if words), longest


def retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Return what a refusal asks to wait in seconds; None when it names no such number."""
    text = headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None

"""The dead-man switch: a key that once beat and then falls silent loses its orders.

Source: https://docs.polymarket.com/trading/manage-orders (2026-09-28) and
py-clob-client-v2 1.2.1, `post_heartbeat`.
"""

from collections.abc import Iterable

import msgspec

from services.simulator.chance import derive
from shared.units import NS_PER_MS

SILENCE_MS = 10_000
SWEEP_MS = 5_000


class Beat(msgspec.Struct, frozen=True):
    """A key's last accepted heartbeat: when, and the id that its next one must carry."""

    at_ns: int
    next_id: str


class Heartbeats:
    """Who beats, and who has stopped."""

    def __init__(self, seed: int, silence_ms: int = SILENCE_MS, sweep_ms: int = SWEEP_MS) -> None:
        """Begin with nobody armed; set the silence that ends orders, and how often one looks."""
        self._seed = seed
        self._silence_ns = silence_ms * NS_PER_MS
        self._every_ns = sweep_ms * NS_PER_MS
        self._count = 0
        self._beats: dict[str, Beat] = {}
        self._sweep_ns: int | None = None

    def accept(self, key: str, heartbeat_id: str, now_ns: int) -> str | None:
        """Take a heartbeat and return the next id, None when it carries the wrong one.

        The first arms the switch and must be empty; a refused one refreshes nothing.
        """
        if heartbeat_id != self.expected(key):
            return None
        return self._beat(key, now_ns)

    def take_over(self, key: str, now_ns: int) -> None:
        """Let another session of an armed key beat, so that this one's id is no longer right."""
        if key in self._beats:
            self._beat(key, now_ns)

    def _beat(self, key: str, now_ns: int) -> str:
        self._count += 1
        digits = f"{derive(self._seed, 'heartbeat', key, str(self._count)):064x}"
        next_id = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-9{digits[17:20]}-{digits[20:32]}"
        self._beats[key] = Beat(now_ns, next_id)
        return next_id

    def expected(self, key: str) -> str:
        """Return the id that a key must send next, empty when it is not armed."""
        beat = self._beats.get(key)
        return "" if beat is None else beat.next_id

    def sweep(self, now_ns: int) -> list[str]:
        """Return the keys that have been silent too long, if a sweep is due; they are disarmed."""
        if self._sweep_ns is None:
            self._sweep_ns = now_ns + self._every_ns
        if now_ns < self._sweep_ns:
            return []
        self._sweep_ns = now_ns + self._every_ns - (now_ns - self._sweep_ns) % self._every_ns
        last_ns = now_ns - self._silence_ns
        silent = [key for key, beat in self._beats.items() if beat.at_ns <= last_ns]
        for key in silent:
            del self._beats[key]
        return silent

    def next_ns(self) -> int | None:
        """Return when the next sweep is due, None before the first."""
        return self._sweep_ns

    def resume(self, keys: Iterable[str], now_ns: int) -> None:
        """Arm keys that were armed in a life before this one, as if they had just beaten.

        Their next id is gone with that life, so that they begin with an empty one.
        """
        for key in keys:
            self._beats[key] = Beat(now_ns, "")

    def armed(self) -> dict[str, int]:
        """Return when each armed key last beat."""
        return {key: beat.at_ns for key, beat in self._beats.items()}

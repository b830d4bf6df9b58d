"""Faults at random: catalogue entries by weights, at times that a seed draws.

The same seed throws the same entries at the same distances, so that what a storm has shown
can be had again.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.table import ENTRIES, find
from services.simulator.chance import Chance
from services.simulator.faults.orders import SPAN_MS_MAX, FaultOrder
from services.simulator.faults.switches import Faults
from shared.units import NS_PER_MS

_Span = Annotated[int, Meta(ge=1, le=SPAN_MS_MAX)]


class StormOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/faults/random` asks for.

    Attributes:
        seed: Of entries and times.
        mean_ms: Between two entries, on average; each distance is half to one and a half of it.
        lasts_ms: Of each entry; None for as long as the entry itself says.
        duration_ms: Of the storm; None without end.
        weights: By entry name; empty for all entries alike.
    """

    seed: int = 1
    mean_ms: _Span = 10_000
    lasts_ms: _Span | None = None
    duration_ms: _Span | None = None
    weights: dict[str, Annotated[int, Meta(ge=0, le=1_000_000)]] = {}


class UnknownEntry(Exception):
    """A name that the catalogue does not have, or an entry without a switch."""


def entry_orders(entry: Entry, lasts_ms: int | None, after_ms: int = 0) -> tuple[FaultOrder, ...]:
    """Return the faults of an entry for a time.

    Faults that have a time of their own keep it, and all begin so much later.
    """
    return tuple(
        msgspec.structs.replace(
            order,
            after_ms=order.after_ms + after_ms,
            duration_ms=lasts_ms if order.duration_ms is None else order.duration_ms,
        )
        for order in entry.orders
    )


class Storm:
    """One storm, or none."""

    def __init__(self, faults: Faults) -> None:
        """Begin calm."""
        self._faults = faults
        self._chance = Chance(0)
        self._order: StormOrder | None = None
        self._choices: tuple[tuple[Entry, int], ...] = ()
        self._until_ns: int | None = None
        self._next_ns: int | None = None

    @property
    def order(self) -> StormOrder | None:
        """What was asked for, None while it is calm."""
        return self._order

    def start(self, order: StormOrder, now_ns: int) -> None:
        """Begin a storm, instead of one that blows already.

        Raises:
            UnknownEntry: A weight is of no entry that can be switched on.
        """
        self._choices = _choices(order)
        self._order = order
        self._chance = Chance(order.seed)
        self._until_ns = None
        if order.duration_ms is not None:
            self._until_ns = now_ns + order.duration_ms * NS_PER_MS
        self._next_ns = now_ns + self._chance.wait_ns(order.mean_ms * NS_PER_MS)

    def stop(self) -> bool:
        """End it; return whether one blew."""
        blew = self._order is not None
        self._order, self._next_ns = None, None
        return blew

    def next_ns(self) -> int | None:
        """Return when the next entry is thrown, None while it is calm."""
        return self._next_ns

    def blow(self, now_ns: int) -> Entry | None:
        """Throw an entry if one is due, and return it."""
        if self._order is None or self._next_ns is None or now_ns < self._next_ns:
            return None
        if self._until_ns is not None and now_ns >= self._until_ns:
            self.stop()
            return None
        entry = self._draw()
        lasts_ms = self._order.lasts_ms or entry.lasts_ms
        for order in entry_orders(entry, lasts_ms):
            self._faults.set(order, now_ns, entry.name)
        self._next_ns = now_ns + self._chance.wait_ns(self._order.mean_ms * NS_PER_MS)
        return entry

    def _draw(self) -> Entry:
        left = self._chance.below(sum(weight for _, weight in self._choices))
        for entry, weight in self._choices:
            left -= weight
            if left < 0:
                return entry
        raise AssertionError("weights end before their sum")


def _choices(order: StormOrder) -> tuple[tuple[Entry, int], ...]:
    if not order.weights:
        return tuple((entry, 1) for entry in ENTRIES if entry.orders)
    chosen: list[tuple[Entry, int]] = []
    for name, weight in order.weights.items():
        entry = find(name)
        if entry is None or not entry.orders:
            raise UnknownEntry(f"the catalogue has no switch {name!r}")
        if weight:
            chosen.append((entry, weight))
    if not chosen:
        raise UnknownEntry("all weights are zero")
    return tuple(chosen)

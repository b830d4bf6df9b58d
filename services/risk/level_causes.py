"""What holds now that asks for a level of degradation: each condition with its numbers.

Hears everything that risk hears, keeps since when each thing is missing, and lists the causes.
Which level comes of them, and when, is `degradation.py`. What was never there in this run is
not missed here: the start of the group waits for it, and nothing trades without the critical.
"""

from collections import deque
from collections.abc import Iterator

from services.risk.degradation import Cause
from services.risk.latency import Latency
from services.risk.quality import QualityCauses
from shared.config import Config
from shared.control import Pong
from shared.effects import ControlReceived, HttpReply, Message, Received
from shared.facts import FeedStatus, StateView
from shared.identifiers import Component
from shared.topics import (
    CARETAKER,
    DASHBOARD,
    EXECUTION,
    FEEDS,
    MARKET_MAKING,
    RECORDER,
    SIDE_FEEDS,
    STATE,
)
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

CRITICAL: tuple[Component, ...] = (*FEEDS, STATE, EXECUTION)
OTHERS: tuple[Component, ...] = (*SIDE_FEEDS, MARKET_MAKING, CARETAKER, RECORDER, DASHBOARD)

RECONNECTS_OVER_NS = 60 * NS_PER_S
RECONNECTS_KEPT = 256

ASSETS_MAX = 64

MISSING_NS = NS_PER_S
"""Silence after which nothing is known of books or orders any more: ten pings and more."""


class LevelCauses:
    """Since when what is missing."""

    def __init__(self, config: Config) -> None:
        """Begin with nothing heard."""
        self._settings = config.degradation
        self._is_dry = config.run.dry_run
        self._heard: dict[Component, BootNs] = {}
        self._lost: dict[str, BootNs] = {}
        self._causes: dict[str, str] = {}
        self._sessions: dict[str, int] = {}
        self._reconnects: dict[str, deque[BootNs]] = {}
        self._spots: dict[str, BootNs] = {}
        self._strained: dict[str, tuple[str, int]] = {}
        self._valid_ns: BootNs | None = None
        self._ledger_fault = ""
        self._ledger_ns: BootNs | None = None
        self._latency = Latency()
        self._quality = QualityCauses(config)

    def hear(self, message: Message, now: Instant) -> None:
        """Take in who lives, what feeds say of themselves, views, and how fast answers come."""
        self._quality.hear(message)
        match message:
            case ControlReceived(body=Pong() as pong):
                self._heard[pong.component] = now.boot_ns
                if pong.execution is not None:
                    self._hear_ledger(pong.execution.ledger_fault, now)
            case Received(body=FeedStatus() as status):
                self._hear_feed(status, now)
            case Received(body=StateView() as view):
                self._hear_view(view, now)
            case HttpReply():
                self._latency.answered(now.boot_ns - message.sent_ns)
            case _:
                pass

    def holding(self, now: Instant) -> tuple[Cause, ...]:
        """Return every condition that holds now."""
        return (
            *self._components(now),
            *self._connections(now),
            *self._reads(),
            *self._data(now),
            *self._venue(),
            *self._integrity(now),
        )

    def missing(self, now: Instant) -> str:
        """Return what is missing without which nothing may be closed; empty when all is there."""
        silent = [name for name in (STATE, EXECUTION) if self._silence_ns(name, now) >= MISSING_NS]
        if silent:
            return f"{silent[0]} is missing"
        no_book = self._valid_ns is None or now.boot_ns - self._valid_ns >= MISSING_NS
        return "no book is proven" if no_book else ""

    def _silence_ns(self, component: Component, now: Instant) -> int:
        """Return for how long a component has been silent; 0 for one never heard of."""
        heard_ns = self._heard.get(component)
        return 0 if heard_ns is None else now.boot_ns - heard_ns

    def _components(self, now: Instant) -> Iterator[Cause]:
        settings = self._settings
        for name in CRITICAL:
            silence_ns = self._silence_ns(name, now)
            if silence_ns >= settings.critical_down_ms * NS_PER_MS:
                yield Cause("EMERGENCY", f"{name} down", _for(silence_ns))
        for name in OTHERS:
            silence_ns = self._silence_ns(name, now)
            if silence_ns >= settings.component_down_ms * NS_PER_MS:
                yield Cause("REDUCED", f"{name} down", _for(silence_ns))

    def _connections(self, now: Instant) -> Iterator[Cause]:
        settings = self._settings
        for feed, since_ns in self._lost.items():
            lost_ns = now.boot_ns - since_ns
            is_worse = lost_ns >= settings.connection_down_ms * NS_PER_MS and feed in FEEDS
            level = "EMERGENCY" if is_worse else "REDUCED"
            text = f"{_for(lost_ns)}: {self._causes[feed]}"
            yield Cause(level, f"{feed} without connection", text)  # type: ignore[arg-type]
        for feed, moments in self._reconnects.items():
            count = sum(now.boot_ns - moment < RECONNECTS_OVER_NS for moment in moments)
            if count > settings.reconnects_max:
                is_worse = count > 2 * settings.reconnects_max and feed in FEEDS
                text = f"{count} new connections in a minute"
                yield Cause("EMERGENCY" if is_worse else "REDUCED", f"{feed} unsteady", text)

    def _reads(self) -> Iterator[Cause]:
        """NET-8: the venue delays or refuses reads, and does not stop doing so."""
        for feed, (text, lasts_ms) in self._strained.items():
            if text and lasts_ms >= self._settings.reads_strained_ms:
                yield Cause("REDUCED", f"{feed} reads strained", text)

    def _data(self, now: Instant) -> Iterator[Cause]:
        settings = self._settings
        if self._valid_ns is not None:
            blind_ns = now.boot_ns - self._valid_ns
            if blind_ns >= settings.data_down_ms * NS_PER_MS:
                yield Cause("EMERGENCY", "no proven market", _for(blind_ns))
        for asset, spot_ns in self._spots.items():
            silent_ns = now.boot_ns - spot_ns
            if silent_ns >= settings.spot_stale_ms * NS_PER_MS:
                yield Cause("REDUCED", f"spot price of {asset} lost", _for(silent_ns))
        yield from self._quality.holding(now)

    def _venue(self) -> Iterator[Cause]:
        settings = self._settings
        slow = self._latency.slow(settings.latency_times, settings.latency_floor_ms * NS_PER_MS)
        if slow is not None:
            took_ms, usual_ms = (ns // NS_PER_MS for ns in slow)
            yield Cause("REDUCED", "venue slow", f"answers in {took_ms} ms, usually {usual_ms} ms")

    def _integrity(self, now: Instant) -> Iterator[Cause]:
        """A ledger that refuses: a disk may be full for a moment, and nothing is placed anyway."""
        if self._ledger_ns is None:
            return
        refused_ns = now.boot_ns - self._ledger_ns
        is_over = refused_ns >= self._settings.ledger_down_ms * NS_PER_MS
        text = f"{_for(refused_ns)}: {self._ledger_fault}"
        yield Cause("SHUTDOWN" if is_over else "REDUCED", "ledger in doubt", text)

    def _hear_ledger(self, fault: str, now: Instant) -> None:
        self._ledger_fault = fault
        if not fault:
            self._ledger_ns = None
        elif self._ledger_ns is None:
            self._ledger_ns = now.boot_ns

    def _hear_feed(self, status: FeedStatus, now: Instant) -> None:
        known = self._sessions.get(status.feed)
        self._sessions[status.feed] = status.session
        if known is not None and status.session > known:
            moments = self._reconnects.setdefault(status.feed, deque(maxlen=RECONNECTS_KEPT))
            moments.append(now.boot_ns)
        if status.feed in (*FEEDS, *SIDE_FEEDS):
            self._strained[status.feed] = (status.strained, status.strained_ms)
        if status.connected or not status.wanted:
            self._lost.pop(status.feed, None)
        elif known is not None and status.feed in (*FEEDS, *SIDE_FEEDS):
            self._lost.setdefault(status.feed, now.boot_ns)
            self._causes[status.feed] = status.cause

    def _hear_view(self, view: StateView, now: Instant) -> None:
        if any(market.valid for market in view.markets):
            self._valid_ns = now.boot_ns
        for market in view.markets:
            known = market.asset in self._spots or len(self._spots) < ASSETS_MAX
            if market.valid and market.spot is not None and known:
                age_ns = max(0, now.monotonic_ns - market.spot.received_ns)
                self._spots[market.asset] = BootNs(now.boot_ns - age_ns)


def _for(time_ns: int) -> str:
    return f"for {time_ns / NS_PER_S:.1f} s"

"""Over which socket each asset's prices come: the current one, or the older one while it fails.

Both sockets tell the same oracle. Ticks of the carrying socket are told; those of the other are
kept, so that a switch tells at once what has been missed. The current socket fails when it is
not connected, or silent while the older one has told a newer price; it carries again after
some settlement prices in a row that are as new. A carrier without a better one stays.
Decides which ticks are told; sends nothing.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from services.feed.price_agreement import Agreement
from shared.config import AbnormalSettings
from shared.facts import PriceCarrier, PriceSocket, ReferencePrice
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE, TWAP_SOURCE
from shared.units import NS_PER_S, Instant, MonotonicNs, WallMs

SILENT_NS_MAX = 2 * NS_PER_S
"""No newer settlement price over one socket while the other has one: less than the three seconds
after which trading pauses (`timing.oracle_pause_ms`), and twice the cadence of the oracle."""

BACK_TICKS = 3
"""Settlement prices in a row after which the current socket is believed to be back."""

BACK_LAG_MS_MAX = 2_000
"""A socket that is farther behind than this is not back, however steady it is."""

KEEP_NS = 120 * NS_PER_S
KEPT_MAX = 2_000
"""Ticks kept of each socket, asset and source: what the venue's own snapshot tells."""


class _Line:
    """One asset over one socket.

    Attributes:
        newest: Of the settlement source.
        kept: By source, in order of their stamps.
    """

    def __init__(self) -> None:
        self.newest: ReferencePrice | None = None
        self.kept: dict[str, deque[ReferencePrice]] = {}

    def take(self, tick: ReferencePrice, settlement: str) -> bool:
        """Keep a tick; return whether it is a newer settlement price."""
        kept = self.kept.setdefault(tick.source, deque(maxlen=KEPT_MAX))
        if kept and tick.venue_ms < kept[-1].venue_ms:
            return False
        kept.append(tick)
        while tick.received_ns - kept[0].received_ns > KEEP_NS:
            kept.popleft()
        newest = self.newest
        is_newer = newest is None or tick.venue_ms > newest.venue_ms
        if tick.source != settlement or not is_newer:
            return False
        self.newest = tick
        return True

    def is_fresh(self, now: Instant) -> bool:
        """Tell whether a settlement price has come lately."""
        newest = self.newest
        return newest is not None and now.monotonic_ns - newest.received_ns < SILENT_NS_MAX


class _Carried:
    """One asset."""

    def __init__(self, settings: AbnormalSettings, since_ns: MonotonicNs) -> None:
        self.lines: dict[PriceSocket, _Line] = {"current": _Line(), "legacy": _Line()}
        self.socket: PriceSocket | None = None
        self.since_ns = since_ns
        self.why = ""
        self.back = 0
        self.told: dict[str, tuple[WallMs, PriceSocket]] = {}
        self.agreements = {
            source: Agreement(settings.sockets_bps_max, settings.sockets_samples)
            for source in (SPOT_SOURCE, TWAP_SOURCE)
        }


class Taken(msgspec.Struct, frozen=True):
    """What came of some ticks, or of a look at the time.

    Attributes:
        told: Ticks to publish, in order.
        switched: Assets whose carrier has changed.
        doubted: Assets about which a doubt has begun or ended.
    """

    told: tuple[ReferencePrice, ...] = ()
    switched: tuple[Asset, ...] = ()
    doubted: tuple[Asset, ...] = ()


class PriceCarriers:
    """All assets."""

    def __init__(
        self, assets: tuple[Asset, ...], settlement: str, settings: AbnormalSettings
    ) -> None:
        """Know no price yet.

        Args:
            assets: Underlyings.
            settlement: Source that settles their markets.
            settings: When the sockets disagree.
        """
        self._settlement = settlement
        self._settings = settings
        self._assets = {asset: _Carried(settings, MonotonicNs(0)) for asset in assets}
        self._is_started = False
        self._ready: dict[PriceSocket, bool] = {"current": False, "legacy": False}
        self._causes: dict[PriceSocket, str] = {"current": "", "legacy": ""}

    def take(self, ticks: Iterable[ReferencePrice], now: Instant) -> Taken:
        """Take the ticks of one frame; those of unknown assets are left out."""
        told: list[ReferencePrice] = []
        doubted: dict[Asset, None] = {}
        advanced: dict[Asset, PriceSocket] = {}
        for tick in ticks:
            carried = self._assets.get(tick.asset)
            if carried is None:
                continue
            if tick.source not in carried.agreements:
                told.append(tick)  # a second opinion comes over the current socket alone
                continue
            line = carried.lines[tick.socket]
            if line.take(tick, self._settlement):
                advanced[tick.asset] = tick.socket
            if self._compare(carried, tick):
                doubted[tick.asset] = None
            if carried.socket == tick.socket and not _is_told(carried, tick):
                _note(carried, tick)
                told.append(tick)
        switched: list[Asset] = []
        for asset, socket in advanced.items():
            carried = self._assets[asset]
            self._count_back(carried, socket)
            missed = self._review(carried, now)
            if missed is not None:
                switched.append(asset)
                told += missed
        return Taken(tuple(told), tuple(switched), tuple(doubted))

    def look(
        self, ready: dict[PriceSocket, bool], causes: dict[PriceSocket, str], now: Instant
    ) -> Taken:
        """Look which sockets are connected and which are silent, and switch where it helps."""
        if not self._is_started:
            self._is_started = True
            for carried in self._assets.values():
                carried.since_ns = now.monotonic_ns
        self._ready, self._causes = ready, causes
        told: list[ReferencePrice] = []
        switched: list[Asset] = []
        for asset, carried in self._assets.items():
            if not ready["current"]:
                carried.back = 0
            missed = self._review(carried, now)
            if missed is not None:
                switched.append(asset)
                told += missed
        return Taken(tuple(told), tuple(switched))

    def heard_ns(self, socket: PriceSocket) -> int:
        """Return when a socket last told a newer settlement price of any asset, 0 for never."""
        newest = (carried.lines[socket].newest for carried in self._assets.values())
        return max((tick.received_ns for tick in newest if tick is not None), default=0)

    def forget(self, asset: Asset) -> PriceSocket:
        """Forget an asset's prices, which were wrong; return the socket that has carried them."""
        carried = self._assets[asset]
        socket = carried.socket or "current"
        carried.lines = {"current": _Line(), "legacy": _Line()}
        carried.told.clear()
        carried.back = 0
        for agreement in carried.agreements.values():
            agreement.forget()
        return socket

    def rows(self, refused: bool) -> tuple[PriceCarrier, ...]:
        """Return what the feed's status says.

        Args:
            refused: Whether the current socket has refused our credentials.
        """
        return tuple(
            PriceCarrier(
                asset=asset,
                socket=carried.socket,
                since_ns=carried.since_ns,
                why=carried.why,
                refused=refused,
                doubt="; ".join(each.doubt for each in carried.agreements.values() if each.doubt),
                compared_ns=max(
                    (
                        each.compared_ns
                        for each in carried.agreements.values()
                        if each.compared_ns is not None
                    ),
                    default=None,
                ),
            )
            for asset, carried in self._assets.items()
        )

    def _compare(self, carried: _Carried, tick: ReferencePrice) -> bool:
        """Compare both sockets; return whether a doubt has begun or ended."""
        agreement = carried.agreements[tick.source]
        return agreement.take(tick, reversed(carried.lines["current"].kept.get(tick.source, ())))

    def _count_back(self, carried: _Carried, socket: PriceSocket) -> None:
        """Count settlement prices of the current socket that are as new as those told."""
        newest = carried.lines["current"].newest
        if carried.socket != "legacy" or socket != "current" or newest is None:
            return
        told_ms = _told_ms(carried, self._settlement)
        carried.back = carried.back + 1 if newest.venue_ms >= told_ms - BACK_LAG_MS_MAX else 0

    def _review(self, carried: _Carried, now: Instant) -> list[ReferencePrice] | None:
        """Switch the carrier where that helps; return what was missed, None without a switch."""
        current, legacy = carried.lines["current"], carried.lines["legacy"]
        if carried.socket is None:
            if current.newest is not None:
                return self._switch(carried, "current", "", now)
            is_late = now.monotonic_ns - carried.since_ns >= SILENT_NS_MAX
            if is_late and legacy.is_fresh(now):
                return self._switch(carried, "legacy", self._trouble("current"), now)
            return None
        if carried.socket == "legacy" and carried.back >= BACK_TICKS:
            return self._switch(carried, "current", "", now)
        following: PriceSocket = "legacy" if carried.socket == "current" else "current"
        if self._fails(carried, carried.socket, now) and self._helps(carried, following, now):
            why = self._trouble("current") if following == "legacy" else ""
            return self._switch(carried, following, why, now)
        return None

    def _fails(self, carried: _Carried, socket: PriceSocket, now: Instant) -> bool:
        return not self._ready[socket] or not carried.lines[socket].is_fresh(now)

    def _helps(self, carried: _Carried, socket: PriceSocket, now: Instant) -> bool:
        """Tell whether a socket has a price that is fresh and newer than what was told."""
        line = carried.lines[socket]
        told_ms = _told_ms(carried, self._settlement)
        newest = line.newest
        is_newer = newest is not None and newest.venue_ms > told_ms
        return self._ready[socket] and line.is_fresh(now) and is_newer

    def _trouble(self, socket: PriceSocket) -> str:
        if not self._ready[socket]:
            return f"{socket} socket: {self._causes[socket]}"
        return f"{socket} socket is silent"

    def _switch(
        self, carried: _Carried, socket: PriceSocket, why: str, now: Instant
    ) -> list[ReferencePrice]:
        """Let the other socket carry; return its ticks that are newer than what was told."""
        carried.socket, carried.since_ns, carried.why = socket, now.monotonic_ns, why
        carried.back = 0
        missed = [
            tick
            for source, kept in carried.lines[socket].kept.items()
            for tick in kept
            if tick.venue_ms > _told_ms(carried, source)
        ]
        missed.sort(key=lambda tick: tick.venue_ms)
        for tick in missed:
            _note(carried, tick)
        return missed


def _told_ms(carried: _Carried, source: str) -> int:
    return carried.told[source][0] if source in carried.told else 0


def _is_told(carried: _Carried, tick: ReferencePrice) -> bool:
    """Tell whether the other socket has told a tick already: it is behind, not going back."""
    if tick.source not in carried.told:
        return False
    told_ms, by = carried.told[tick.source]
    return by != tick.socket and tick.venue_ms <= told_ms and not tick.is_history


def _note(carried: _Carried, tick: ReferencePrice) -> None:
    if tick.venue_ms > _told_ms(carried, tick.source):
        carried.told[tick.source] = (tick.venue_ms, tick.socket)

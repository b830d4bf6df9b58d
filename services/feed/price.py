"""The price feed: reference prices of the settlement oracle over the venue's price sockets.

The current socket carries; the older one is open beside it, is compared with it, and carries an
asset on while the current one cannot (`price_carriers.py`). Every point is published, those of
opening snapshots included. Evidence for an asset is a newer tick of the source that settles its
markets, over whichever socket; a value carried forward is no tick, since the oracle said nothing.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28) and a recorded
head of the venue's staging stream; for the older socket see `shared/venue/rtds_wire.py`.
"""

from collections import deque
from typing import Literal

import msgspec

from services.feed.connection import Connection
from services.feed.evidence import EvidenceBoard
from services.feed.legacy_price_socket import LegacyPriceSocket
from services.feed.messages import CredentialsFound
from services.feed.price_carriers import PriceCarriers, Taken
from services.feed.price_socket import CurrentPriceSocket, Heard
from services.feed.report import FUTURE, FeedReport
from shared.config import Config
from shared.effects import (
    Effect,
    Exit,
    Log,
    Message,
    Publish,
    ReachTold,
    Received,
    Stop,
    StreamClosed,
    StreamOpened,
    StreamText,
)
from shared.facts import FeedStatus, PricesDoubted, PriceSocket, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.settlement import settlement_source
from shared.topics import FEED_PRICE
from shared.units import NS_PER_S, Instant, WallMs

HISTORY_NS = 120 * NS_PER_S
"""As much as the venue's own snapshot tells: a reader that joins late needs it for the strike and
for volatility."""

HISTORY_MAX = 2_000
"""Ticks kept of each asset and source: 120 s at the simulator's fastest step, 60 ms."""

FUTURE_MS_MAX = 5_000
"""A stamp farther ahead than this is refused."""

SILENT_NS_MAX = 15 * NS_PER_S
"""No newer settlement tick of any asset for so long: the socket is not trusted any more. 92 of
78,515 recorded steps were longer than 5 s, 40 longer than 30 s."""

SILENT = "no settlement price for too long"


class PriceFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Wait for credentials; then connect. The older socket needs none.

        Args:
            config: Assets, window length, sockets.
            seed: Of the jitter.
        """
        self._assets = tuple(Asset(asset) for asset in config.markets.assets)
        self._settlement = settlement_source(config.markets.interval_s)
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_PRICE)
        venue, abnormal = config.venue, config.abnormal
        urls = (venue.price_socket_url, *venue.price_socket_alternatives)
        self._current = CurrentPriceSocket(
            urls, self._assets, abnormal.second_source, seed, self._report
        )
        self._legacy: LegacyPriceSocket | None = None
        if venue.legacy_price_socket_url:
            url = venue.legacy_price_socket_url
            self._legacy = LegacyPriceSocket(url, self._assets, seed, self._report)
        self._carriers = PriceCarriers(self._assets, self._settlement, abnormal)
        self._rebuilt: dict[Asset, tuple[Incarnation, int]] = {}
        self._newest: dict[tuple[Asset, str], WallMs] = {}
        self._history: dict[tuple[Asset, str], deque[ReferencePrice]] = {}
        self._said: object = None
        self._older_sessions = 0

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges say."""
        match message:
            case CredentialsFound(credentials=credentials):
                return self._current.start(credentials, now)
            case StreamOpened() | StreamText() | StreamClosed():
                return self._on_stream(message, now)
            case ReachTold():
                self._report.hear(message)
                return []
            case Received(body=PricesDoubted() as doubted):
                return self._rebuild(doubted, message.incarnation, now)
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connections, notice silence, switch the carrier, repeat the status."""
        self._evidence.watch(self._assets, now.monotonic_ns)
        effects = self._current.connection.on_tick(now)
        if self._legacy is not None:
            effects += self._legacy.on_tick(now)
        effects += self._drop_silent(now)
        effects += self._look(now)
        told = self._report.on_tick(self._current.connection, self._evidence, now)
        if told or self._saying() != self._said:
            self._said = self._saying()
            effects.append(self._status(now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the recent ticks, oldest first, and the status."""
        ticks = sorted(
            (tick for history in self._history.values() for tick in history),
            key=lambda tick: tick.venue_ms,
        )
        return [
            *(Publish("feed.price", _as_history(tick), tick.received_ns) for tick in ticks),
            self._status(now),
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether the feed has what it needs to connect."""
        if not self._current.has_credentials and not self._is_ready("legacy"):
            return "starting", "no credentials yet"
        return "ready", ""

    def _on_stream(
        self, message: StreamOpened | StreamText | StreamClosed, now: Instant
    ) -> list[Effect]:
        """Hand a message to the socket that it is of; one of an earlier connection is nobody's."""
        stream = message.stream
        socket: CurrentPriceSocket | LegacyPriceSocket
        if self._current.connection.owns(stream):
            socket = self._current
        elif self._legacy is not None and self._legacy.connection.owns(stream):
            socket = self._legacy
        else:
            return []
        if isinstance(message, StreamText):
            self._report.frame(now)
            return self._on_heard(socket.on_text(message, now), message.text, now)
        if isinstance(message, StreamOpened):
            if socket is self._legacy and self._carries("legacy"):
                self._older_sessions += 1
            return [*socket.on_opened(now), self._status(now)]
        return [*socket.connection.on_closed(message, now), *self._look(now)]

    def _on_heard(self, heard: Heard, raw: str, now: Instant) -> list[Effect]:
        """Publish what a frame has told, unless it is of the other socket; then do what it asks."""
        ticks = heard.ticks
        fresh = [tick for tick in ticks if tick.venue_ms - now.wall_ms <= FUTURE_MS_MAX]
        effects: list[Effect] = []
        if len(fresh) < len(ticks):
            effects.extend(self._report.reject(raw, FUTURE, now))
        if fresh:
            effects.extend(self._take(self._carriers.take(fresh, now), now))
        effects.extend(heard.effects)
        return effects

    def _take(self, taken: Taken, now: Instant) -> list[Effect]:
        """Publish the ticks that count, and say what has changed."""
        effects: list[Effect] = [self._publish(tick, now) for tick in taken.told]
        if not taken.switched and not taken.doubted:
            return effects
        for row in self._carriers.rows(refused=self._current.is_refused):
            if row.asset in taken.switched:
                level: Literal["info", "warning"] = "warning" if row.why else "info"
                fields = {"asset": row.asset, "socket": row.socket, "why": row.why}
                effects.append(Log("price.carrier", fields, level))
            if row.asset in taken.doubted:
                fields = {"asset": row.asset, "doubt": row.doubt or "the sockets agree again"}
                effects.append(Log("price.sockets", fields, "error" if row.doubt else "info"))
        self._said = self._saying()
        effects.append(self._status(now))
        return effects

    def _look(self, now: Instant) -> list[Effect]:
        ready: dict[PriceSocket, bool] = {
            "current": self._is_ready("current"),
            "legacy": self._is_ready("legacy"),
        }
        causes: dict[PriceSocket, str] = {"current": self._cause(), "legacy": ""}
        return self._take(self._carriers.look(ready, causes, now), now)

    def _drop_silent(self, now: Instant) -> list[Effect]:
        """Give the current connection up when it is open and tells no settlement price."""
        connection = self._current.connection
        newest = max(self._carriers.heard_ns("current"), connection.since_ns)
        if connection.is_ready and now.monotonic_ns - newest >= SILENT_NS_MAX:
            return connection.drop(SILENT, now)
        return []

    def _rebuild(self, doubted: PricesDoubted, risk: Incarnation, now: Instant) -> list[Effect]:
        """Forget what risk has found to be an error, and read it anew over a new connection."""
        if doubted.asset not in self._assets or self._rebuilt.get(doubted.asset) == (
            risk,
            doubted.number,
        ):
            return []
        self._rebuilt[doubted.asset] = (risk, doubted.number)
        for key in [key for key in self._history if key[0] == doubted.asset]:
            del self._history[key]
            self._newest.pop(key, None)
        wrong = self._carriers.forget(doubted.asset)
        effects: list[Effect] = []
        for socket, connection in self._connections():
            if socket == wrong:
                effects += connection.drop(f"risk doubts {doubted.asset}: {doubted.reason}", now)
        return effects

    def _publish(self, tick: ReferencePrice, now: Instant) -> Publish:
        key = (tick.asset, tick.source)
        history = self._history.setdefault(key, deque(maxlen=HISTORY_MAX))
        history.append(tick)
        while history and now.monotonic_ns - history[0].received_ns > HISTORY_NS:
            history.popleft()
        is_newer = tick.venue_ms > self._newest.get(key, WallMs(0))
        if is_newer:
            self._newest[key] = tick.venue_ms
        if is_newer and tick.source == self._settlement:
            self._evidence.prove(tick.asset, tick.received_ns)
        return Publish("feed.price", tick, tick.received_ns)

    def _connections(self) -> list[tuple[PriceSocket, Connection]]:
        found: list[tuple[PriceSocket, Connection]] = [("current", self._current.connection)]
        if self._legacy is not None:
            found.append(("legacy", self._legacy.connection))
        return found

    def _is_ready(self, socket: PriceSocket) -> bool:
        return any(each.is_ready for name, each in self._connections() if name == socket)

    def _carries(self, socket: PriceSocket) -> bool:
        rows = self._carriers.rows(refused=False)
        return any(row.socket == socket for row in rows)

    def _cause(self) -> str:
        """Return why the current socket is not connected."""
        return (
            "no credentials yet"
            if not self._current.has_credentials
            else (self._current.connection.cause)
        )

    def _saying(self) -> object:
        """Return what a status says that is told at once when it changes."""
        return tuple((each.is_ready, each.session, each.cause) for _, each in self._connections())

    def _status(self, now: Instant) -> Publish:
        """Return the status: connected while either socket is, and which of them carries."""
        own = self._report.status(self._current.connection, self._evidence, now)
        assert isinstance(own.body, FeedStatus)
        status = msgspec.structs.replace(
            own.body, carriers=self._carriers.rows(refused=self._current.is_refused)
        )
        if self._legacy is not None:
            older = self._legacy.connection
            status = msgspec.structs.replace(
                status,
                # A second opinion that comes and goes makes nothing unsteady while it carries none.
                session=status.session + self._older_sessions,
                reconnects=status.reconnects + older.reconnects,
            )
            if older.is_ready and not status.connected:
                status = msgspec.structs.replace(
                    status, connected=True, since_ns=older.since_ns, cause=""
                )
        return Publish("feed.status", status, now.monotonic_ns)


def _as_history(tick: ReferencePrice) -> ReferencePrice:
    """Return a tick as it is told again, to somebody who comes later."""
    return msgspec.structs.replace(tick, is_history=True)

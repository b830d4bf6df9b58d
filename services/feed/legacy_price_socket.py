"""The older price socket: the same oracle's ticks once more, without numbers and without pongs.

It needs no credentials, loses frames unseen, and is known to fall silent while it stays open: it
is judged by its data alone, and opened anew when that stops. What it tells is the settlement
source's own, so that it may carry on where the current socket does not.

Source: frames recorded in production on 5 September 2026;
https://github.com/Polymarket/real-time-data-client/issues/26, /34 and /35.
"""

from services.feed.connection import Connection
from services.feed.connection_rules import PING_EVERY_NS, ConnectionRules
from services.feed.price_socket import Heard
from services.feed.report import FeedReport
from shared.effects import Effect, Log, StreamSend, StreamText
from shared.identifiers import Asset
from shared.units import NS_PER_S, Instant
from shared.venue.faults import WireFault
from shared.venue.parse_rtds import rtds_prices
from shared.venue.rtds_wire import RTDS_PING, decode_rtds_frame, rtds_subscription
from shared.venue.wire import encode

DATA_IDLE_NS = 15 * NS_PER_S
"""No price of any asset for so long: it has fallen silent, as it is known to after 20 minutes."""

OWN_SEED = 0x5254_4453
"""Both sockets shall not back off in step."""


class LegacyPriceSocket:
    """One connection at a time; it is ready once prices have come over it."""

    def __init__(self, url: str, assets: tuple[Asset, ...], seed: int, report: FeedReport) -> None:
        """Start closed.

        Args:
            url: Of the socket.
            assets: Underlyings to subscribe.
            seed: Of the jitter.
            report: Where refused frames are counted.
        """
        rules = ConnectionRules(
            "price_legacy",
            url,
            RTDS_PING,
            PING_EVERY_NS,
            answers_pings=False,
            data_idle_ns=DATA_IDLE_NS,
        )
        self.connection = Connection(rules, seed ^ OWN_SEED)
        self._assets = assets
        self._report = report

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection."""
        return self.connection.start(now) or self.connection.on_tick(now)

    def on_opened(self, now: Instant) -> list[Effect]:
        """Subscribe on a connection that is open."""
        self.connection.on_opened(now)
        frame = rtds_subscription(self._assets)
        return [StreamSend(self.connection.stream, encode(frame).decode())]

    def on_text(self, message: StreamText, now: Instant) -> Heard:
        """Take a frame in; a refused subscription ends the connection."""
        try:
            frame = decode_rtds_frame(message.text)
            if frame is None:
                return Heard([])
            if isinstance(frame, int):
                return Heard(
                    [
                        Log("price.legacy_refused", {"status": frame}, "warning"),
                        *self.connection.drop(f"refused: {frame}", now),
                    ]
                )
            ticks = rtds_prices(frame, message.received_ns)
        except WireFault as fault:
            return Heard(self._report.reject(message.text, str(fault), now))
        if ticks:
            self.connection.confirm(now)
            self.connection.on_life(now)
        return Heard([], ticks)

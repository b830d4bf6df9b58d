"""Sockets of a session: a thread each that records every frame with the moment it came."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from bus import clock
from ops.probe.asking import Silent
from ops.probe.transcript import Transcript
from shared.units import NS_PER_S, MonotonicNs
from shared.venue.streams_wire import PING

OPEN_S = 5.0
CLOSE_S = 1.0
FRAME_BYTES_MAX = 16 * 2**20
PING_EVERY_S = 8.0
"""The venue asks for one every ten seconds.
Source: https://docs.polymarket.com/market-data/realtime-data (2026-09-28)."""

HEARD_MAX = 50_000
"""Frames kept in memory of one socket; a session listens for minutes."""


class Heard(msgspec.Struct, frozen=True):
    """One frame of the venue.

    Attributes:
        body: Decoded JSON; None where it is none.
    """

    at_ns: MonotonicNs
    text: str
    body: Any

    def objects(self) -> list[dict[str, Any]]:
        """Return the objects of a frame, which may be one or an array of them."""
        found = self.body if isinstance(self.body, list) else [self.body]
        return [one for one in found if isinstance(one, dict)]


class Ear:
    """One open socket.

    Attributes:
        opened_ns: When its handshake was done.
        closed: Code and reason of its end; None while it is open.
    """

    def __init__(
        self, label: str, url: str, transcript: Transcript, *, pings: bool = False
    ) -> None:
        """Connect.

        Args:
            label: Of its frames in the record.
            url: Where to.
            transcript: Takes every frame.
            pings: Whether it sends PING by itself as often as the venue asks for.

        Raises:
            Silent: Nobody answered.
        """
        self._label = label
        self._ping_every_s = PING_EVERY_S if pings else None
        self._transcript = transcript
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        self.closed: tuple[int, str] | None = None
        try:
            self._socket = connect(
                url,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,
                max_size=FRAME_BYTES_MAX,
                proxy=None,
            )
        except (OSError, WebSocketException) as error:
            transcript.note(label, f"no connection: {type(error).__name__}")
            raise Silent(f"{label}: {type(error).__name__}") from None
        self.opened_ns = clock.read().monotonic_ns
        transcript.note(label, f"connected to {url}")
        self._thread = threading.Thread(target=self._listen, name=label, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Ear":
        """Return the open socket."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def send(self, text: str) -> MonotonicNs:
        """Send a frame; return the moment before.

        Raises:
            Silent: The socket is closed.
        """
        self._transcript.sent(self._label, text)
        at_ns = clock.read().monotonic_ns
        try:
            self._socket.send(text)
        except ConnectionClosed:
            raise Silent(f"{self._label}: closed") from None
        return at_ns

    def ping(self) -> None:
        """Keep the connection alive, as the venue asks for."""
        self.send(PING)

    def heard(self) -> list[Heard]:
        """Return every frame so far."""
        with self._news:
            return list(self._heard)

    def wait_for(self, chosen: Callable[[Heard], bool], within_s: float) -> Heard | None:
        """Return the first frame that is meant, waiting for it; None when the time is over."""
        deadline_ns = clock.read().monotonic_ns + int(within_s * NS_PER_S)
        looked = 0
        with self._news:
            while True:
                for frame in self._heard[looked:]:
                    if chosen(frame):
                        return frame
                looked = len(self._heard)
                left_s = (deadline_ns - clock.read().monotonic_ns) / NS_PER_S
                if left_s <= 0 or self.closed is not None:
                    return None
                self._news.wait(min(left_s, 0.5))

    def wait_for_end(self, within_s: float) -> tuple[int, str] | None:
        """Return how the venue closed the socket; None when it is open after the time."""
        self._thread.join(within_s)
        return self.closed

    def close(self) -> None:
        """Close it and wait for its thread."""
        self._socket.close()
        self._thread.join(CLOSE_S)

    def _listen(self) -> None:
        pinged_ns = clock.read().monotonic_ns
        try:
            while True:
                try:
                    message = self._socket.recv(self._ping_every_s)
                    self._take(message if isinstance(message, str) else message.decode())
                except TimeoutError:
                    pass
                now_ns = clock.read().monotonic_ns
                if self._ping_every_s and now_ns - pinged_ns >= self._ping_every_s * NS_PER_S:
                    pinged_ns = now_ns
                    self.ping()
        except (ConnectionClosed, Silent):
            pass
        protocol = self._socket.protocol
        with self._news:
            self.closed = (protocol.close_code or 0, protocol.close_reason or "")
            self._news.notify_all()
        self._transcript.note(self._label, f"closed by {self.closed[0]} {self.closed[1]}".rstrip())

    def _take(self, text: str) -> None:
        at_ns = clock.read().monotonic_ns
        try:
            body = msgspec.json.decode(text)
        except msgspec.DecodeError:
            body = None
        self._transcript.frame(self._label, text)
        with self._news:
            if len(self._heard) < HEARD_MAX:
                self._heard.append(Heard(at_ns, text, body))
            self._news.notify_all()

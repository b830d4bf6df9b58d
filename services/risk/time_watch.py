"""Asks the sources of time: each in a thread of its own, so that none waits for another.

Impure. A time server is asked by one SNTP packet, the venue by `GET /time`; each question has a
total deadline. A source whose answer looks suspicious is asked again soon, since one answer
trips nothing. A question during which the wall clock was set is thrown away.
"""

import http.client
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from bus import clock
from bus.edge import Edge
from services.risk import sntp
from services.risk.asking_thread import AskingThread, Round
from services.risk.time_readings import TimeReading, TimeSilent, TimeTold
from shared.config import NTP_PORT, ClockSettings, Config, time_servers
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, NS_PER_S, Instant
from shared.wall_steps import STEP_NS_MIN, WallSteps

SUSPICIOUS_EVERY_NS = NS_PER_S
"""While an answer says that our clock is off: three of them within three seconds."""

TIME_PATH = "/time"
"""Unix seconds as text. Source: https://docs.polymarket.com/api-reference (2026-09-28)."""

TIME_BYTES_MAX = 64
NO_ANSWER = (OSError, http.client.HTTPException, sntp.Refused, ValueError)

Ask = Callable[[], TimeReading]


class TimeWatch(Edge):
    """All sources of time."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, config: Config) -> None:
        """Begin to ask."""
        settings = config.clock
        answer_s = settings.answer_ms / 1_000
        asks: dict[str, tuple[Ask, bool]] = {}
        for server in time_servers(config):
            asks[server] = (_server(server, answer_s), False)
        asks["venue"] = (_venue(config.venue.clob_url, answer_s), True)
        self._steps = WallSteps()
        self._threads = tuple(
            AskingThread(f"time {name}", _bounded(name, ask, is_venue, settings))
            for name, (ask, is_venue) in asks.items()
        )

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the pipes of all threads."""
        return tuple(pair for thread in self._threads for pair in thread.sockets())

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Return what a thread has found."""
        for thread in self._threads:
            if any(descriptor == pipe for pipe, _ in thread.sockets()):
                return thread.on_ready(descriptor, events, now)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Ask everybody at once when the clock was set."""
        if self._steps.look(now):
            for thread in self._threads:
                thread.hurry()
        return []

    def close(self) -> None:
        """Ask no more."""
        for thread in self._threads:
            thread.close()


def _bounded(name: str, ask: Ask, is_venue: bool, settings: ClockSettings) -> Callable[[], Round]:
    """Return a question that always ends with something to tell."""
    every_ns = settings.measure_every_ms * NS_PER_MS
    alert_ns = settings.alert_ms * NS_PER_MS

    def asked() -> Round:
        began = clock.read()
        try:
            reading = ask()
        except NO_ANSWER as error:
            why = str(error) or type(error).__name__
            return (TimeSilent(name, why, is_venue),), min(every_ns, 5 * SUSPICIOUS_EVERY_NS)
        ended = clock.read()
        if abs(ended.wall_ns - ended.boot_ns - began.wall_ns + began.boot_ns) >= STEP_NS_MIN:
            return (), 0
        suspicious = reading.low_ns > alert_ns or reading.high_ns < -alert_ns
        return (TimeTold(reading),), min(every_ns, SUSPICIOUS_EVERY_NS) if suspicious else every_ns

    return asked


def _server(name: str, answer_s: float) -> Ask:
    host, _, port = name.partition(":")

    def ask() -> TimeReading:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port or NTP_PORT), type=socket.SOCK_DGRAM
        )[0]
        nonce = clock.draw_incarnation()
        with socket.socket(family, kind, protocol) as link:
            # A connected socket takes answers from nobody else.
            link.connect(address)
            asked = clock.read()
            link.send(sntp.question(nonce))
            if not select.select([link], [], [], answer_s)[0]:
                raise TimeoutError("no answer in time")
            packet = link.recv(1024)
            took_ns = clock.read().boot_ns - asked.boot_ns
        return sntp.read_answer(name, packet, nonce, asked.wall_ns, took_ns)

    return ask


def _venue(url: str, answer_s: float) -> Ask:
    parts = urlsplit(url)
    host = parts.hostname or ""

    def ask() -> TimeReading:
        link = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=answer_s, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=answer_s)
        )
        # The time-out is one of each receive: the whole of it is ended by cutting the line.
        cut = threading.Timer(2 * answer_s, lambda: _cut(link))
        cut.daemon = True
        cut.start()
        try:
            link.connect()
            asked = clock.read()
            link.request("GET", TIME_PATH)
            reply = link.getresponse()
            text = reply.read(TIME_BYTES_MAX)
            took_ns = clock.read().boot_ns - asked.boot_ns
        finally:
            cut.cancel()
            link.close()
        if reply.status != http.client.OK:
            raise ValueError(f"status {reply.status}")
        told_ns = int(text) * NS_PER_S
        # Whole seconds: its clock stood anywhere in that second, anywhere on the way.
        low_ns = told_ns - asked.wall_ns - took_ns
        return TimeReading("venue", low_ns, told_ns + NS_PER_S - asked.wall_ns, is_venue=True)

    return ask


def _cut(link: http.client.HTTPConnection) -> None:
    held = link.sock
    if held is not None:
        try:
            held.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

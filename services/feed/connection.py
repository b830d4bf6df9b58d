"""One WebSocket connection as a state machine: open, subscribe, listen, back off, again.

Decides when to open and where, when a connection counts as lost, how long to wait, and what of
our own words must be said again. Does not parse frames and does not judge the age of data: its
owner does, and drops the connection. Every attempt has a stream name of its own, so that a late
frame or close of an older one is recognised and ignored.

An attempt that fails is repeated for ever, with growing pauses. One that the venue refuses for
good (credentials, policy) is not: it is barred, says so, and is tried again only once the
credentials have changed or a long pause is over.

Source of the pauses and close codes: `connection_rules.py`.
"""

from typing import Literal

from services.feed.chance import Chance
from services.feed.connection_rules import ConnectionRules, barred_ns, is_barring, pause_ns
from services.feed.outbox import Outbox
from services.feed.pulse import Pulse
from shared.effects import Effect, Log, StreamClose, StreamClosed, StreamOpen, StreamSend
from shared.reach import ADVICE, NOT_REACHED, ReachFault
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

ConnectionState = Literal["stopped", "waiting", "opening", "opened", "ready", "barred"]
ConnectionEvent = Literal[
    "start", "due", "opened", "confirmed", "lost", "refused", "renewed", "stop"
]

TRANSITIONS: dict[ConnectionState, dict[ConnectionEvent, ConnectionState]] = {
    "stopped": {"start": "waiting"},
    "waiting": {"due": "opening", "stop": "stopped"},
    "opening": {"opened": "opened", "lost": "waiting", "refused": "barred", "stop": "stopped"},
    "opened": {"confirmed": "ready", "lost": "waiting", "refused": "barred", "stop": "stopped"},
    "ready": {"lost": "waiting", "refused": "barred", "stop": "stopped"},
    "barred": {"due": "opening", "renewed": "waiting", "stop": "stopped"},
}

DEGRADED_AFTER = 5
"""Failures in a row after which the loss is more than an episode."""

STABLE_NS = 10 * NS_PER_S
"""A connection must be ready this long before its loss starts again at no pause; otherwise a
venue that accepts and closes would be called in a tight loop."""

CONFIRM_NS_MAX = 10 * NS_PER_S
"""Open, yet nothing that shows the subscription: the venue answers within a second."""


class IllegalStep(AssertionError):
    """An edge that is not in the table: our bug."""


class Connection:
    """State of one socket; every method returns the effects that it asks for.

    Attributes:
        state: A state of the table.
        session: Connections opened so far: a new number means that something may be missed.
        failures: Attempts in a row that did not become stable.
        reconnects: Losses so far.
        since_ns: Since when it is ready, or not.
        cause: Why it is not ready; empty when it is.
        fault: How the newest attempt or connection ended, told apart; empty when it is ready.
        outbox: What is to be told to the venue and may have to be told again.
    """

    def __init__(self, rules: ConnectionRules, seed: int) -> None:
        """Start stopped; `start` opens it."""
        assert rules.answers_pings or rules.data_idle_ns, "something must show that it lives"
        self._rules = rules
        self._chance = Chance(seed)
        self._pulse = Pulse(rules)
        self.state: ConnectionState = "stopped"
        self.session = 0
        self.failures = 0
        self.reconnects = 0
        self.since_ns = MonotonicNs(0)
        self.cause = "not started"
        self.fault: ReachFault = ""
        self.stream = ""
        self.outbox = Outbox()
        self._attempt = 0
        self._place = 0
        self._due_ns = 0
        self._deadline_ns = 0
        self._alive_ns = 0

    @property
    def is_ready(self) -> bool:
        """Tell whether it is open and the venue has shown that it listens."""
        return self.state == "ready"

    @property
    def is_open(self) -> bool:
        """Tell whether frames can be sent."""
        return self.state in ("opened", "ready")

    @property
    def is_degraded(self) -> bool:
        """Tell whether it fails for longer than an episode."""
        return self.failures >= DEGRADED_AFTER

    @property
    def url(self) -> str:
        """Endpoint of the present attempt, or of the next."""
        return self._rules.urls[self._place]

    @property
    def next_try_ns(self) -> MonotonicNs | None:
        """When it is tried again; None while it need not be, or shall not be."""
        return MonotonicNs(self._due_ns) if self.state in ("waiting", "barred") else None

    @property
    def outgoing_dropped(self) -> int:
        """How many texts to the venue fell out of the full buffer."""
        return self.outbox.dropped

    def is_suspect(self, now: Instant) -> bool:
        """Tell whether a pong is late."""
        return self._pulse.is_late(now)

    def start(self, now: Instant) -> list[Effect]:
        """Open as soon as possible; nothing happens when already started, or barred."""
        if self.state != "stopped":
            return []
        self._step("start", "connecting", now)
        self._due_ns = now.monotonic_ns
        return self.on_tick(now)

    def renew(self, now: Instant) -> list[Effect]:
        """Try again at once where it was barred: the credentials are others now."""
        if self.state != "barred":
            return []
        self._step("renewed", "connecting with other credentials", now)
        self._due_ns = now.monotonic_ns
        return self.on_tick(now)

    def stop(self, cause: str, now: Instant) -> list[Effect]:
        """Close and stay closed until the next `start`."""
        if self.state == "stopped":
            return []
        closing = self.state in ("opening", "opened", "ready")
        self._leave(now)
        self._step("stop", cause, now)
        self.outbox.clear()
        return [StreamClose(self.stream)] if closing else []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Open when due, ping when due, say what waits, give up what is overdue."""
        monotonic = now.monotonic_ns
        match self.state:
            case "waiting" | "barred" if monotonic >= self._due_ns:
                return self._open(now)
            case "opening" if monotonic >= self._deadline_ns:
                return self.drop("handshake took too long", now, fault="slow")
            case "opened" if monotonic >= self._deadline_ns:
                return self.drop("subscription not confirmed", now, fault="slow")
            case "ready" if self._is_idle(now):
                idle_s = self._rules.data_idle_ns / NS_PER_S
                return self.drop(f"no data at all for {idle_s:g} s", now)
            case "opened" | "ready":
                return self._speak(now)
            case _:
                return []

    def owns(self, stream: str) -> bool:
        """Tell whether a message about a stream is about the present attempt."""
        return stream == self.stream and self.state in ("opening", "opened", "ready")

    def on_opened(self, now: Instant) -> None:
        """Note that the handshake is done; the owner subscribes now."""
        self._step("opened", "subscribing", now)
        self.session += 1
        self._deadline_ns = now.monotonic_ns + CONFIRM_NS_MAX
        self._alive_ns = now.monotonic_ns
        self._pulse.opened(now)

    def confirm(self, now: Instant) -> None:
        """Note that the venue has shown that it took the subscription; may be repeated."""
        if self.state == "opened":
            self._step("confirmed", "", now)
            self.fault = ""
            self._alive_ns = now.monotonic_ns

    def on_pong(self, now: Instant) -> None:
        """Note an answer to a ping: what was sent before it has arrived."""
        self._pulse.ponged()
        self.outbox.ponged()

    def on_life(self, now: Instant) -> None:
        """Note what a pong does not show: data, or a witness that agrees with it."""
        self._alive_ns = now.monotonic_ns

    def send(self, text: str) -> list[Effect]:
        """Tell the venue something, now or once it is connected again, until it has arrived.

        Returns:
            Nothing while it is not ready: the text waits, and at most so many others with it.
        """
        dropped = self.outbox.add(text)
        effects: list[Effect] = []
        if dropped:
            fields = {"stream": self._rules.name, "dropped": self.outbox.dropped}
            effects.append(Log("connection.outgoing_dropped", fields, "error"))
        return effects + self._send_waiting()

    def supersede(self) -> None:
        """Forget what waits to be sent: the owner says all of it in its opening words."""
        self.outbox.clear()

    def on_closed(self, message: StreamClosed, now: Instant) -> list[Effect]:
        """Note that the stream is gone, and plan the next attempt."""
        refused = "refused" if message.refused else "closed"
        cause = f"{refused} {message.code} {message.reason}".strip()
        if is_barring(message):
            return self._bar(cause, message.fault or "denied", now)
        return self._lose(cause, message.fault or "lost", message, now)

    def drop(self, cause: str, now: Instant, *, fault: ReachFault = "doubted") -> list[Effect]:
        """Close a connection that is not trusted any more, and plan the next attempt."""
        if self.state not in ("opening", "opened", "ready"):
            return []
        return [StreamClose(self.stream), *self._lose(cause, fault, None, now)]

    def bar(self, cause: str, now: Instant) -> list[Effect]:
        """Close a connection that the venue refuses for good, and do not call again soon."""
        if self.state not in ("opening", "opened", "ready"):
            return []
        return [StreamClose(self.stream), *self._bar(cause, "denied", now)]

    def _open(self, now: Instant) -> list[Effect]:
        self._attempt += 1
        self.stream = f"{self._rules.name}.{self._attempt}"
        self._deadline_ns = now.monotonic_ns + self._rules.open_ns_max
        self._step("due", "opening", now)
        return [StreamOpen(self.stream, self.url)]

    def _speak(self, now: Instant) -> list[Effect]:
        """Ping when it is time, and say what has waited for the connection."""
        effects = self._send_waiting()
        if not self._pulse.is_due(now):
            return effects
        if not self._pulse.ping(now):
            return [*effects, *self.drop(f"{self._pulse.missed} pongs missed", now, fault="lost")]
        self.outbox.pinged()
        return [*effects, StreamSend(self.stream, self._rules.ping_text)]

    def _send_waiting(self) -> list[Effect]:
        """Say what waits, once the venue has shown that it listens."""
        if not self.is_ready or not self.outbox.waits:
            return []
        return [StreamSend(self.stream, text) for text in self.outbox.take()]

    def _is_idle(self, now: Instant) -> bool:
        idle_ns = self._rules.data_idle_ns
        return bool(idle_ns) and now.monotonic_ns - self._alive_ns >= idle_ns

    def _leave(self, now: Instant) -> None:
        """Begin the count of failures anew after a connection that has lasted."""
        if self.is_ready and now.monotonic_ns - self.since_ns >= STABLE_NS:
            self.failures = 0
        self._pulse.closed()
        self.outbox.lost()

    def _lose(
        self, cause: str, fault: ReachFault, closed: StreamClosed | None, now: Instant
    ) -> list[Effect]:
        self._leave(now)
        pause = pause_ns(self.failures, closed, self._chance)
        self._count("lost", cause, fault, pause, now)
        if fault in NOT_REACHED:
            self._place = (self._place + 1) % len(self._rules.urls)
        return [self._told("connection.lost", pause, is_error=self.is_degraded)]

    def _bar(self, cause: str, fault: ReachFault, now: Instant) -> list[Effect]:
        self._leave(now)
        pause = barred_ns(self._chance)
        self._count("refused", cause, fault, pause, now)
        return [self._told("connection.barred", pause, is_error=True)]

    def _count(
        self, event: ConnectionEvent, cause: str, fault: ReachFault, pause: int, now: Instant
    ) -> None:
        self.failures += 1
        self.reconnects += 1
        self.fault = fault
        self._due_ns = now.monotonic_ns + pause
        self._step(event, cause, now)

    def _told(self, event: str, pause: int, *, is_error: bool) -> Log:
        fields = {
            "stream": self.stream,
            "cause": self.cause,
            "fault": self.fault,
            "check": ADVICE[self.fault],
            "failures": self.failures,
            "pause_ms": pause // NS_PER_MS,
            "next": self.url,
        }
        return Log(event, fields, "error" if is_error else "warning")

    def _step(self, event: ConnectionEvent, cause: str, now: Instant) -> None:
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise IllegalStep(f"{self.state} has no edge for {event}")
        if (following == "ready") != self.is_ready:
            self.since_ns = now.monotonic_ns
        self.state = following
        self.cause = cause

"""One WebSocket connection as a state machine: open, subscribe, listen, back off, again.

Decides when to open, when a connection counts as lost, and how long to wait. Does not
parse frames and does not judge the age of data: its owner does, and drops the connection.
Every attempt has a stream name of its own, so that a late frame or close of an older one
is recognised and ignored.

Source of the pauses: reconnect at once, then after 1, 2, 4, 8 s, doubling to 60 s, with
jitter up to half. Source of close codes 4003 and 4008 and of the drain pause:
https://docs.polymarket.com/api-reference/live-data/overview (2026-09-28).
"""

from typing import Literal

import msgspec

from services.feed.chance import Chance
from shared.effects import Effect, Log, StreamClose, StreamClosed, StreamOpen, StreamSend
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

ConnectionState = Literal["stopped", "waiting", "opening", "opened", "ready"]
ConnectionEvent = Literal["start", "due", "opened", "confirmed", "lost", "stop"]

TRANSITIONS: dict[ConnectionState, dict[ConnectionEvent, ConnectionState]] = {
    "stopped": {"start": "waiting"},
    "waiting": {"due": "opening", "stop": "stopped"},
    "opening": {"opened": "opened", "lost": "waiting", "stop": "stopped"},
    "opened": {"confirmed": "ready", "lost": "waiting", "stop": "stopped"},
    "ready": {"lost": "waiting", "stop": "stopped"},
}

PAUSES_S = (0, 1, 2, 4, 8, 16, 32, 60)
"""Pause before the n-th attempt after a loss; the last one repeats for ever."""

DEGRADED_AFTER = 5
"""Failures in a row after which the loss is more than an episode."""

STABLE_NS = 10 * NS_PER_S
"""A connection must be ready this long before its loss starts again at no pause; otherwise a
venue that accepts and closes would be called in a tight loop."""

CONFIRM_NS_MAX = 10 * NS_PER_S
"""Open, yet nothing that shows the subscription: the venue answers within a second."""

CODE_DRAINING = 4003
CODE_POLICY = (4001, 4008)
DRAIN_PAUSE_NS = 10 * NS_PER_S
POLICY_PAUSE_NS = 60 * NS_PER_S
"""Wrong credentials and broken rules do not get better by haste."""


class ConnectionRules(msgspec.Struct, frozen=True):
    """What differs from socket to socket.

    Attributes:
        name: Prefix of the stream names.
        ping_text: What to send as application ping; empty for none.
        ping_every_ns: Between two pings.
        pong_suspect_ns: A pong later than this makes the connection suspect.
        pong_missed_max: Pings in a row without any pong, after which it is lost.
        open_ns_max: Deadline of the handshake.
    """

    name: str
    url: str
    ping_text: str
    ping_every_ns: int
    pong_suspect_ns: int = NS_PER_S
    pong_missed_max: int = 3
    open_ns_max: int = 5 * NS_PER_S


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
    """

    def __init__(self, rules: ConnectionRules, seed: int) -> None:
        """Start stopped; `start` opens it."""
        self._rules = rules
        self._chance = Chance(seed)
        self.state: ConnectionState = "stopped"
        self.session = 0
        self.failures = 0
        self.reconnects = 0
        self.since_ns = MonotonicNs(0)
        self.cause = "not started"
        self.stream = ""
        self._attempt = 0
        self._due_ns = 0
        self._deadline_ns = 0
        self._next_ping_ns = 0
        self._pinged_ns: int | None = None
        self._missed = 0

    @property
    def is_ready(self) -> bool:
        """Tell whether it is open and the venue has shown that it listens."""
        return self.state == "ready"

    @property
    def is_open(self) -> bool:
        """Tell whether frames can be sent."""
        return self.state in ("opened", "ready")

    def is_suspect(self, now: Instant) -> bool:
        """Tell whether a pong is late."""
        pinged = self._pinged_ns
        return pinged is not None and now.monotonic_ns - pinged > self._rules.pong_suspect_ns

    def start(self, now: Instant) -> list[Effect]:
        """Open as soon as possible; nothing happens when already started."""
        if self.state != "stopped":
            return []
        self._step("start", "connecting", now)
        self._due_ns = now.monotonic_ns
        return self.on_tick(now)

    def stop(self, cause: str, now: Instant) -> list[Effect]:
        """Close and stay closed until the next `start`."""
        if self.state == "stopped":
            return []
        closing = self.state != "waiting"
        self._step("stop", cause, now)
        return [StreamClose(self.stream)] if closing else []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Open when due, ping when due, give up what is overdue."""
        monotonic = now.monotonic_ns
        if self.state == "waiting" and monotonic >= self._due_ns:
            self._attempt += 1
            self.stream = f"{self._rules.name}.{self._attempt}"
            self._deadline_ns = monotonic + self._rules.open_ns_max
            self._step("due", "opening", now)
            return [StreamOpen(self.stream, self._rules.url)]
        if self.state == "opening" and monotonic >= self._deadline_ns:
            return self.drop("handshake took too long", now)
        if self.state == "opened" and monotonic >= self._deadline_ns:
            return self.drop("subscription not confirmed", now)
        if self.is_open and self._rules.ping_text and monotonic >= self._next_ping_ns:
            return self._ping(now)
        return []

    def owns(self, stream: str) -> bool:
        """Tell whether a message about a stream is about the present attempt."""
        return stream == self.stream and self.state in ("opening", "opened", "ready")

    def on_opened(self, now: Instant) -> None:
        """Note that the handshake is done; the owner subscribes now."""
        self._step("opened", "subscribing", now)
        self.session += 1
        self._deadline_ns = now.monotonic_ns + CONFIRM_NS_MAX
        self._next_ping_ns = now.monotonic_ns
        self._pinged_ns = None
        self._missed = 0

    def confirm(self, now: Instant) -> None:
        """Note that the venue has shown that it took the subscription; may be repeated."""
        if self.state == "opened":
            self._step("confirmed", "", now)

    def on_pong(self, now: Instant) -> None:
        """Note an answer to a ping."""
        self._pinged_ns = None
        self._missed = 0

    def on_closed(self, message: StreamClosed, now: Instant) -> list[Effect]:
        """Note that the stream is gone, and plan the next attempt."""
        refused = "refused" if message.refused else "closed"
        return self._lose(f"{refused} {message.code} {message.reason}".strip(), message.code, now)

    def drop(self, cause: str, now: Instant) -> list[Effect]:
        """Close a connection that is not trusted any more, and plan the next attempt."""
        if self.state in ("stopped", "waiting"):
            return []
        return [StreamClose(self.stream), *self._lose(cause, 0, now)]

    def _lose(self, cause: str, code: int, now: Instant) -> list[Effect]:
        was_stable = self.is_ready and now.monotonic_ns - self.since_ns >= STABLE_NS
        self.failures = 0 if was_stable else self.failures
        pause = self._pause_ns(code)
        self.failures += 1
        self.reconnects += 1
        self._step("lost", cause, now)
        self._due_ns = now.monotonic_ns + pause
        level = "error" if self.failures >= DEGRADED_AFTER else "warning"
        fields = {
            "stream": self.stream,
            "cause": cause,
            "failures": self.failures,
            "pause_ms": pause // NS_PER_MS,
        }
        return [Log("connection.lost", fields, level)]

    def _pause_ns(self, code: int) -> int:
        if code == CODE_DRAINING:
            return self._chance.below(DRAIN_PAUSE_NS)
        if code in CODE_POLICY:
            return POLICY_PAUSE_NS + self._chance.below(POLICY_PAUSE_NS // 2)
        pause = PAUSES_S[min(self.failures, len(PAUSES_S) - 1)] * NS_PER_S
        return pause + self._chance.below(pause // 2)

    def _ping(self, now: Instant) -> list[Effect]:
        if self._pinged_ns is not None:
            self._missed += 1
            if self._missed >= self._rules.pong_missed_max:
                return self.drop(f"{self._missed} pongs missed", now)
        else:
            self._pinged_ns = now.monotonic_ns
        self._next_ping_ns = now.monotonic_ns + self._rules.ping_every_ns
        return [StreamSend(self.stream, self._rules.ping_text)]

    def _step(self, event: ConnectionEvent, cause: str, now: Instant) -> None:
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise IllegalStep(f"{self.state} has no edge for {event}")
        if (following == "ready") != self.is_ready:
            self.since_ns = now.monotonic_ns
        self.state = following
        self.cause = cause

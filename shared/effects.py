"""What a core may ask of its shell, and what the shell tells a core.

A core is `on_message(message, now) -> effects` and `on_tick(now) -> effects`. Effects
are frozen; the shell applies those of one turn in this order: what only makes the market safer
(the control line, cancels, resets) at once, then durable ones in one commit, then all others as
they were returned. The core hears `JournalHeld` when the commit has held, maybe many turns later;
the others wait so long. When it fails none of them is applied but logs and the end of the
process, and the core hears `JournalFailed`. The rule itself is `bus/application.py`.
"""

from typing import Any, Protocol

import msgspec

from shared.identifiers import Component, Incarnation
from shared.reach import HostReach, ReachFault
from shared.units import BootNs, Instant, MonotonicNs


class Effect(msgspec.Struct, frozen=True):
    """Something that a core asks its shell to do."""


class Durable(Effect, frozen=True, kw_only=True):
    """An effect that is on disk before any other effect of its turn is applied.

    Attributes:
        number: Chosen by the core, growing; comes back in `JournalHeld`.
    """

    number: int = 0


class Publish(Effect, frozen=True):
    """Broadcast a fact on this process's PUB socket.

    Attributes:
        topic: A name of the routing table (`shared/topics.py`).
        body: A struct of the topic's type.
        input_ns: When the oldest input that this rests on reached the edge.
    """

    topic: str
    body: msgspec.Struct
    input_ns: MonotonicNs


class Control(Effect, frozen=True):
    """Send on the control line: a component's `Pong`, or risk's `Ping` to one peer.

    Attributes:
        body: The message.
        to: Receiver of a `Ping`; a component leaves it None, its line has one end.
    """

    body: msgspec.Struct
    to: "Peer | None" = None


class Peer(msgspec.Struct, frozen=True):
    """One incarnation of a component, as the control line addresses it."""

    component: Component
    incarnation: Incarnation


class Log(Effect, frozen=True):
    """One JSON line on standard output.

    Attributes:
        event: Name of what happened, lower case with dots.
        fields: Its facts; never a secret.
        level: `debug`, `info`, `warning`, `error` or `critical`.
    """

    event: str
    fields: dict[str, Any] = {}
    level: str = "info"


class HttpRequest(Effect, frozen=True):
    """Send one request over a warm connection of a lane.

    Attributes:
        request_id: Chosen by the core, unique in its incarnation; comes back.
        lane: Which connections carry it: `post`, `cancel`, `read` or `beat`. Lanes share nothing,
            so that nothing waits behind a post.
        method: `GET`, `POST` or `DELETE`.
        path: With its query.
        body: Exact bytes; empty for none.
        deadline_ns: Total deadline; afterwards the answer is `HttpFailed`.
        authenticated: Whether the shell adds the venue's L2 headers.
        permit: For a post: what `may_send` judges directly before the write; None elsewhere.
    """

    request_id: int
    lane: str
    method: str
    path: str
    body: bytes
    deadline_ns: BootNs
    authenticated: bool = True
    permit: msgspec.Struct | None = None


class HttpReset(Effect, frozen=True):
    """Drop every connection of a lane at once (linger 0); unwritten requests come back not sent."""

    lane: str


class StreamOpen(Effect, frozen=True):
    """Open a WebSocket; answered by `StreamOpened` or `StreamClosed`."""

    stream: str
    url: str


class StreamSend(Effect, frozen=True):
    """Send one text frame on an open stream."""

    stream: str
    text: str


class StreamClose(Effect, frozen=True):
    """Close a stream; answered by `StreamClosed`."""

    stream: str


class Exit(Effect, frozen=True):
    """End the process after this turn, with a status and the reason for the log."""

    status: int
    reason: str


class Message(msgspec.Struct, frozen=True):
    """Something that a shell tells a core."""


class Received(Message, frozen=True):
    """A fact from the bus, in sequence.

    Attributes:
        component: Who published it.
        incarnation: Which run of it.
        topic: Name in the routing table.
        sequence: Number per (incarnation, topic), from 1.
        sent_ns: The publisher's monotonic send stamp.
        input_ns: Monotonic stamp of the oldest input it rests on.
        wall_ns: The publisher's wall clock, for people.
        body: Decoded payload.
    """

    component: Component
    incarnation: Incarnation
    topic: str
    sequence: int
    sent_ns: MonotonicNs
    input_ns: MonotonicNs
    wall_ns: int
    body: Any


class EnvelopeReceived(Message, frozen=True):
    """A fact as it travelled, for the recorder alone, which keeps what it does not read.

    Attributes:
        frames: Topic, header and payload, undecoded.
        received_ns: When this reader took it in.
    """

    component: Component
    incarnation: Incarnation
    topic: str
    sequence: int
    frames: tuple[bytes, ...]
    received_ns: MonotonicNs


class Gap(Message, frozen=True):
    """Facts were lost, or this reader was away: what they told is unknown until resynchronised.

    Attributes:
        component: Whose facts; all its topics of the same subscription are in doubt.
        topic: The topic that shows the gap; empty when every topic of the component does.
        missed: Number of messages missed, -1 when it cannot be known.
        cause: `sequence`, `incarnation`, `pause`, `corrupt`.
    """

    component: Component
    topic: str
    missed: int
    cause: str


class ControlReceived(Message, frozen=True):
    """A message of the control line: a `Ping` at a component, a `Pong` at risk."""

    body: Any
    sender: Peer | None = None


class HttpReply(Message, frozen=True):
    """A complete answer.

    Attributes:
        request_id: Of the request.
        status: HTTP status.
        headers: Lower-case names.
        body: Raw bytes, which may be anything.
        sent_ns: When the first byte of the request was written.
    """

    request_id: int
    status: int
    headers: dict[str, str]
    body: bytes
    sent_ns: BootNs


class HttpFailed(Message, frozen=True):
    """No complete answer.

    Attributes:
        request_id: Of the request.
        sent: False only when provably no byte was written; True means unknown outcome.
        reason: `not_permitted`, `not_writable`, `reset`, `closed`, `deadline`, `protocol`,
            `unconnected`, `not_journaled`.
        sent_ns: When the first byte was written, or 0 when none was.
    """

    request_id: int
    sent: bool
    reason: str
    sent_ns: BootNs = BootNs(0)


class StreamOpened(Message, frozen=True):
    """The WebSocket handshake is done."""

    stream: str


class StreamText(Message, frozen=True):
    """One text frame, with the moment at which it reached the edge.

    Attributes:
        more: Whether another frame of the same read follows: the reader has it at hand.
    """

    stream: str
    text: str
    received_ns: MonotonicNs
    more: bool = False


class StreamClosed(Message, frozen=True):
    """The stream is gone, or could not be opened.

    Attributes:
        stream: Name of it.
        code: WebSocket close code, 1006 when there was none.
        reason: Text for the log.
        refused: Whether the connection was actively refused, as against lost or slow.
        fault: How it ended, told apart (`shared/reach.py`); empty where nobody could tell.
        status: HTTP status that came instead of the upgrade, 0 for none.
        retry_after_s: What the refusal of the upgrade asks to wait; None when it does not.
    """

    stream: str
    code: int
    reason: str
    refused: bool = False
    fault: ReachFault = ""
    status: int = 0
    retry_after_s: int | None = None


class ReachTold(Message, frozen=True):
    """What an edge knows of its hosts' names: when it changes, and again every few seconds."""

    hosts: tuple[HostReach, ...]


class JournalHeld(Message, frozen=True):
    """A commit has held: every durable effect up to a number is on disk.

    Those among them that were given before a `JournalFailed` are not meant.
    """

    number: int


class JournalFailed(Message, frozen=True):
    """A commit failed: no durable effect that was not said to be held before is certain.

    Nothing that rested on them was sent, of the turns of the commit and of those behind it.
    """

    reason: str


class Stop(Message, frozen=True):
    """The process was asked to end (SIGTERM, SIGINT, death of its supervisor)."""

    cause: str


class Paused(Message, frozen=True):
    """This loop's own turn took longer than the lease; its data queues were discarded."""

    lasted_ns: int


class ClockStepped(Message, frozen=True):
    """Somebody has set this host's wall clock: what rests on wall time is to be rebuilt (CK-2).

    Attributes:
        by_ns: By how much it went forward; negative for back.
    """

    by_ns: int


class Core(Protocol):
    """Decisions of one process: pure, driven by messages and time alone."""

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take one message in and return what shall be done."""
        ...

    def on_tick(self, now: Instant) -> list[Effect]:
        """Look at the time and return what shall be done."""
        ...

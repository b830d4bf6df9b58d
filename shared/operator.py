"""What an operator may ask of risk over the control socket, and what risk answers.

One JSON object a line each way, tagged by the key `type`, decoded against these structs:
unknown keys, wrong types and oversized text are refused with a `RequestRefused` that names the
place, and change nothing. Halting is easy: one word and a reason. Resuming names the very
latch versions it clears, so that a halt that arrived meanwhile is not cleared by it.

The answer to a `Halt` comes when zero is proven and the latch is on disk, not before; the
answer to a `Resume` when the clearing is on disk. An asker that goes away changes neither.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.control import ScopeKind
from shared.effects import Effect, Message
from shared.facts import RiskStatus, SwitchStatus
from shared.units import BootNs, WallNs

REQUEST_BYTES_MAX = 65_536
"""Longest line of a request: the longest legal one is below 20 KiB."""

TEXT_MAX = 500
"""Longest reason: a person's sentence, kept in the audit trail for good."""

LATCHES_MAX = 100
"""Latches one resume may name; risk never holds more of them that an operator may clear."""

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
ScopeId = Annotated[str, Meta(max_length=120)]


class _Request(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower, kw_only=True
):
    """Something that an operator asks."""


class Halt(_Request, frozen=True, kw_only=True):
    """Cancel everything in the scope, place nothing there, until a resume.

    Attributes:
        scope: `account` or narrower.
        scope_id: Asset, market, token or strategy; empty for the account.
        reason: For the audit trail.
    """

    scope: ScopeKind = "account"
    scope_id: ScopeId = ""
    reason: Text


class LatchName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One latch as it was seen: another version of it is another latch.

    Attributes:
        version: From `SwitchStatus`; at least 1.
    """

    name: Annotated[str, Meta(max_length=60)]
    scope: ScopeKind
    scope_id: ScopeId
    version: Annotated[int, Meta(ge=1)]


class Resume(_Request, frozen=True, kw_only=True):
    """Clear the latches named, all of them or none.

    Attributes:
        latches: As `Switches` has shown them.
        reason: For the audit trail.
    """

    latches: Annotated[tuple[LatchName, ...], Meta(min_length=1, max_length=LATCHES_MAX)]
    reason: Text


class PaperRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the verified audit trail of a paper group says, for the first live step (ST-8).

    Attributes:
        clean_s: Time traded clean, as `shared/clean_run.py` counts it.
        sequence: Newest row of that trail; hash_hex: its hash, so that it can be found again.
    """

    clean_s: Annotated[int, Meta(ge=0, le=10**9)]
    sequence: Annotated[int, Meta(ge=1)]
    hash_hex: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Switches(_Request, frozen=True, kw_only=True):
    """Show every switch that is tripped, and what would block resuming each."""


class Status(_Request, frozen=True, kw_only=True):
    """Show risk's whole status with the recovery check list."""


Request = Halt | Resume | Switches | Status


class _Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, kw_only=True):
    """Something that risk answers."""


class FenceTimes(msgspec.Struct, frozen=True):
    """Durations of one fence from the decision on, in nanoseconds; None: not reached (yet).

    Attributes:
        fence_id: Epoch that the fence made.
        blocked_ns: Until every execution had blocked placements, or was gone.
        quiet_ns: Until every send queue was empty.
        zero_ns: Until the second read of the proof was answered.
    """

    fence_id: int
    blocked_ns: int | None
    quiet_ns: int | None
    zero_ns: int | None


class Halted(_Reply, frozen=True, kw_only=True):
    """The scope is halted: latch on disk, and for the account zero proven.

    Attributes:
        latch: What a resume must name.
        fence: Times of the proof; None for a scope below the account, which is cancelled
            and blocked but not proven.
    """

    latch: LatchName
    fence: FenceTimes | None
    wall_ns: WallNs


class Resumed(_Reply, frozen=True, kw_only=True):
    """The latches named are cleared on disk; trading waits for what `waits_for` names.

    Attributes:
        waits_for: Items of the recovery check list that do not hold yet.
    """

    latches: tuple[LatchName, ...]
    waits_for: tuple[str, ...]


class ResumeRefused(_Reply, frozen=True, kw_only=True):
    """Nothing was cleared.

    Attributes:
        blockers: What blocks, in words: a latch that is not named so, or a condition that holds.
    """

    blockers: tuple[str, ...]


class SwitchList(_Reply, frozen=True, kw_only=True):
    """All tripped switches, latches first."""

    switches: tuple[SwitchStatus, ...]


class RecoveryCheck(msgspec.Struct, frozen=True):
    """One item of the recovery check list.

    Attributes:
        name: Stable name of the item.
        holds: Whether it lets trading resume.
        detail: The value seen, or why it does not hold.
    """

    name: str
    holds: bool
    detail: str


class StatusReport(_Reply, frozen=True, kw_only=True):
    """Risk's status, and the recovery check list item by item."""

    status: RiskStatus
    recovery: tuple[RecoveryCheck, ...]
    at_ns: BootNs


class RequestRefused(_Reply, frozen=True, kw_only=True):
    """The request could not be understood or carried out; nothing has changed."""

    error: Literal["malformed", "oversized", "busy", "stopping"]
    detail: str


Reply = Halted | Resumed | ResumeRefused | SwitchList | StatusReport | RequestRefused


class OperatorRequest(Message, frozen=True):
    """One line from the control socket, not yet decoded.

    Attributes:
        connection: Names the connection towards the shell.
        uid: User of the other end, as the kernel tells it.
        pid: Process of the other end, for the audit trail.
        body: The line without its end.
    """

    connection: int
    uid: int
    pid: int
    body: bytes


class OperatorGone(Message, frozen=True):
    """A connection is closed; answers to it would go nowhere."""

    connection: int


class OperatorReply(Effect, frozen=True):
    """One line for a connection of the control socket.

    Attributes:
        body: The line without its end.
        close: Whether the connection ends after it.
    """

    connection: int
    body: bytes
    close: bool = False


_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_REPLIES: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def decode_request(body: bytes) -> Request | RequestRefused:
    """Return the request of one line, or why it is none."""
    if len(body) > REQUEST_BYTES_MAX:
        return RequestRefused(error="oversized", detail=f"longer than {REQUEST_BYTES_MAX} bytes")
    try:
        return _REQUESTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return RequestRefused(error="malformed", detail=str(error)[:TEXT_MAX])


def encode_request(request: Request) -> bytes:
    """Return the line of a request, without its end."""
    return msgspec.json.encode(request)


def decode_reply(body: bytes) -> Reply:
    """Return the reply of one line.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return _REPLIES.decode(body)


def encode_reply(reply: Reply) -> bytes:
    """Return the line of a reply, without its end."""
    return msgspec.json.encode(reply)

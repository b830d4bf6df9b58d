"""Faults that a test or a person switches on: each with chance, count and time.

Decides the fate of every request and frame; does nothing itself. A fault names whom it
meets by method and path, or by stream and asset; empty means all.

Kinds for requests:
    delay_request   taken in later, and answered then
    delay_reply     taken in at once, answered later
    lose_request    never taken in, never answered
    reset_request   never taken in, the connection is reset
    lose_reply      taken in, never answered
    reset_reply     taken in, then the connection is reset
    refuse          answered with `status` and `text` without being taken in
Kinds for streams:
    silence         nothing but PONG is sent
    lose_frames     single frames are left out
    refuse_stream   new connections are closed at once
Kinds of the venue as a whole:
    restarting, post_only, cancel_only, disabled   trading modes
    fail_settlement  trades end FAILED
"""

from typing import Literal, get_args

import msgspec

from services.simulator.chance import PPM, Chance
from services.simulator.edge import Request
from shared.units import NS_PER_MS

RequestFaultKind = Literal[
    "delay_request",
    "delay_reply",
    "lose_request",
    "reset_request",
    "lose_reply",
    "reset_reply",
    "refuse",
]
StreamFaultKind = Literal["silence", "lose_frames", "refuse_stream"]
ModeKind = Literal["restarting", "post_only", "cancel_only", "disabled"]
FaultKind = RequestFaultKind | StreamFaultKind | ModeKind | Literal["fail_settlement"]

FAULTS_MAX = 64
_REQUEST_KINDS = get_args(RequestFaultKind)
_MODES: tuple[ModeKind, ...] = get_args(ModeKind)


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/faults` asks for.

    Attributes:
        method: Of the requests that it meets; empty for all.
        path: Prefix of their path; empty for all.
        stream: `market`, `user` or `price`; empty for all.
        asset: Asset, token id or condition id of the frames that it meets; empty for all.
        probability: 0..1.
        count: How often it strikes; None without end.
        duration_ms: How long it is on; None without end.
        after_ms: How long until it is on.
        delay_ms: Of the delay kinds.
        status, text, retry_after_s: Answer of `refuse`; text that begins with `<` is sent as HTML.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    stream: str = ""
    asset: str = ""
    probability: float = 1.0
    count: int | None = None
    duration_ms: int | None = None
    after_ms: int = 0
    delay_ms: int = 0
    status: int = 400
    text: str = "could not insert order"
    retry_after_s: int | None = None


class Fault(msgspec.Struct, eq=False):
    """A fault that is switched on, and how often it may still strike."""

    fault_id: int
    order: FaultOrder
    from_ns: int
    until_ns: int | None
    left: int | None


class Fate(msgspec.Struct, frozen=True):
    """What happens to one request.

    Attributes:
        hold_ns: Wait before it is taken in.
        taken: Whether it is taken in at all.
        reply: Whether the answer is sent, left out, or replaced by a reset.
        reply_ns: Wait before the answer.
        refusal: Fault whose answer it gets instead of its own.
    """

    hold_ns: int = 0
    taken: bool = True
    reply: Literal["send", "lose", "reset"] = "send"
    reply_ns: int = 0
    refusal: FaultOrder | None = None


UNHARMED = Fate()


class Faults:
    """All faults that are on."""

    def __init__(self, chance: Chance) -> None:
        """Begin with none."""
        self._chance = chance
        self._count = 0
        self._faults: dict[int, Fault] = {}

    def set(self, order: FaultOrder, now_ns: int) -> int | None:
        """Switch a fault on and return its number, None when there are too many."""
        if len(self._faults) >= FAULTS_MAX:
            return None
        self._count += 1
        start = now_ns + order.after_ms * NS_PER_MS
        until = None if order.duration_ms is None else start + order.duration_ms * NS_PER_MS
        self._faults[self._count] = Fault(self._count, order, start, until, order.count)
        return self._count

    def clear(self, fault_id: int | None) -> int:
        """Switch one fault, or all with None, off; return how many were on."""
        if fault_id is None:
            cleared = len(self._faults)
            self._faults.clear()
            return cleared
        return 0 if self._faults.pop(fault_id, None) is None else 1

    def list(self, now_ns: int) -> tuple[Fault, ...]:
        """Return the faults that are on or will be."""
        self._drop_ended(now_ns)
        return tuple(self._faults.values())

    def judge(self, request: Request, now_ns: int) -> Fate:
        """Return the fate of a request; the first fault of each kind that strikes counts."""
        if not self._faults:
            return UNHARMED
        fate = UNHARMED
        for fault in self._active(now_ns):
            order = fault.order
            if order.kind not in _REQUEST_KINDS or not _meets_request(order, request):
                continue
            if self._strikes(fault):
                fate = _worse(fate, order)
        return fate

    def mode(self, now_ns: int) -> tuple[ModeKind, int] | None:
        """Return the trading mode and how long it lasts in ns; None for ordinary trading."""
        if not self._faults:
            return None
        for kind in _MODES:
            for fault in self._active(now_ns):
                if fault.order.kind == kind:
                    left = 0 if fault.until_ns is None else fault.until_ns - now_ns
                    return kind, left
        return None

    def lets_frame_pass(self, stream: str, names: tuple[str, ...], now_ns: int) -> bool:
        """Tell whether a frame is sent.

        Args:
            stream: Kind of the stream.
            names: Asset, condition and tokens that it is about.
            now_ns: Monotonic now.
        """
        if not self._faults:
            return True
        for fault in self._active(now_ns):
            order = fault.order
            if order.kind not in ("silence", "lose_frames"):
                continue
            if order.stream not in ("", stream) or (order.asset and order.asset not in names):
                continue
            if order.kind == "silence" or self._strikes(fault):
                return False
        return True

    def refuses_stream(self, stream: str, now_ns: int) -> bool:
        """Tell whether a new connection is closed at once."""
        return any(
            fault.order.kind == "refuse_stream"
            and fault.order.stream in ("", stream)
            and self._strikes(fault)
            for fault in self._active(now_ns)
        )

    def fails_settlement(self, now_ns: int) -> bool:
        """Tell whether the next trade ends FAILED."""
        return any(
            fault.order.kind == "fail_settlement" and self._strikes(fault)
            for fault in self._active(now_ns)
        )

    def _active(self, now_ns: int) -> tuple[Fault, ...]:
        if not self._faults:
            return ()
        self._drop_ended(now_ns)
        return tuple(fault for fault in self._faults.values() if fault.from_ns <= now_ns)

    def _drop_ended(self, now_ns: int) -> None:
        for fault in tuple(self._faults.values()):
            is_over = fault.until_ns is not None and fault.until_ns <= now_ns
            if is_over or fault.left == 0:
                del self._faults[fault.fault_id]

    def _strikes(self, fault: Fault) -> bool:
        if fault.left == 0:
            return False
        if not self._chance.happens(round(fault.order.probability * PPM)):
            return False
        if fault.left is not None:
            fault.left -= 1
        return True


def _meets_request(order: FaultOrder, request: Request) -> bool:
    return order.method in ("", request.method) and request.path.startswith(order.path)


def _worse(fate: Fate, order: FaultOrder) -> Fate:
    delay_ns = order.delay_ms * NS_PER_MS
    match order.kind:
        case "delay_request":
            return msgspec.structs.replace(fate, hold_ns=fate.hold_ns + delay_ns)
        case "delay_reply":
            return msgspec.structs.replace(fate, reply_ns=fate.reply_ns + delay_ns)
        case "lose_request":
            return msgspec.structs.replace(fate, taken=False, reply="lose")
        case "reset_request":
            return msgspec.structs.replace(fate, taken=False, reply="reset")
        case "lose_reply":
            return msgspec.structs.replace(fate, reply="lose")
        case "reset_reply":
            return msgspec.structs.replace(fate, reply="reset")
        case _:
            return msgspec.structs.replace(fate, refusal=order)

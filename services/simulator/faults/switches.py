"""Faults that a test or a person switches on: each with chance, count and time.

Decides the fate of every request and frame; does nothing itself. The kinds stand in
`orders.py`, the faults that users of the real venue have reported in `catalogue`.
"""

from typing import Literal

import msgspec

from services.simulator.chance import PPM, Chance
from services.simulator.edge import Request
from services.simulator.faults.orders import (
    FRAME_KINDS,
    MODES,
    REPLY_KINDS,
    REQUEST_KINDS,
    FaultKind,
    FaultOrder,
    ModeKind,
)
from shared.units import NS_PER_MS

FAULTS_MAX = 64


class Fault(msgspec.Struct, eq=False):
    """A fault that is switched on, and how often it may still strike.

    Attributes:
        from_ns: Monotonic time from when it is on; until_ns: until when, None without end.
        entry: Slug of the catalogue's entry that it is part of, empty for none.
    """

    fault_id: int
    order: FaultOrder
    from_ns: int
    until_ns: int | None
    left: int | None
    entry: str = ""

    def is_on(self, now_ns: int) -> bool:
        """Tell whether it is on now: one that comes back is only now and then."""
        if now_ns < self.from_ns:
            return False
        every_ms, duration_ms = self.order.every_ms, self.order.duration_ms
        if every_ms is None or duration_ms is None:
            return True
        return (now_ns - self.from_ns) % (every_ms * NS_PER_MS) < duration_ms * NS_PER_MS


class Fate(msgspec.Struct, frozen=True):
    """What happens to one request.

    Attributes:
        hold_ns: Wait before it is taken in.
        taken: Whether it is taken in at all.
        reply: Whether the answer is sent, left out, or replaced by a reset.
        reply_ns: Wait before the answer.
        refusal: Fault whose answer it gets instead of its own.
        altered: Faults that change the answer, in their order.
    """

    hold_ns: int = 0
    taken: bool = True
    reply: Literal["send", "lose", "reset"] = "send"
    reply_ns: int = 0
    refusal: FaultOrder | None = None
    altered: tuple[FaultOrder, ...] = ()


UNHARMED = Fate()


class Faults:
    """The faults that are on.

    Attributes:
        struck: How often each entry of the catalogue has struck.
    """

    def __init__(self, chance: Chance) -> None:
        """Begin with none; `chance` decides which requests and frames they strike."""
        self._chance = chance
        self._count = 0
        self._faults: dict[int, Fault] = {}
        self.struck: dict[str, int] = {}

    def set(self, order: FaultOrder, now_ns: int, entry: str = "") -> int | None:
        """Switch a fault on and return its number; None when there are too many."""
        self._drop_ended(now_ns)
        if len(self._faults) >= FAULTS_MAX:
            return None
        self._count += 1
        start = now_ns + order.after_ms * NS_PER_MS
        until = None
        if order.duration_ms is not None and order.every_ms is None:
            until = start + order.duration_ms * NS_PER_MS
        self._faults[self._count] = Fault(self._count, order, start, until, order.count, entry)
        return self._count

    def clear(self, fault_id: int | None, entry: str = "") -> int:
        """Switch one fault, those of an entry, or all off; return how many were on."""
        chosen = [
            number
            for number, fault in self._faults.items()
            if fault_id in (None, number) and entry in ("", fault.entry)
        ]
        for number in chosen:
            del self._faults[number]
        return len(chosen)

    def list(self, now_ns: int) -> tuple[Fault, ...]:
        """Return the faults that are on or will be."""
        self._drop_ended(now_ns)
        return tuple(self._faults.values())

    # --- requests -------------------------------------------------------------------

    def judge(self, request: Request, now_ns: int) -> Fate:
        """Return the fate of a request; of the refusals that strike the last counts."""
        if not self._faults:
            return UNHARMED
        fate = UNHARMED
        for fault in self._active(now_ns):
            order = fault.order
            if order.kind not in REQUEST_KINDS or not _meets_request(order, request):
                continue
            if self.strikes(fault):
                fate = _worse(fate, order)
        return fate

    def mode(self, now_ns: int) -> tuple[ModeKind, int] | None:
        """Return the trading mode and how long it lasts in ns; None for ordinary trading."""
        if not self._faults:
            return None
        for kind in MODES:
            for fault in self._active(now_ns):
                if fault.order.kind == kind:
                    self._count_strike(fault)
                    left = 0 if fault.until_ns is None else fault.until_ns - now_ns
                    return kind, left
        return None

    # --- streams --------------------------------------------------------------------

    def lets_frame_pass(self, stream: str, names: tuple[str, ...], now_ns: int) -> bool:
        """Tell whether a frame is sent, as far as silence goes.

        Args:
            stream: Kind of the stream.
            names: Asset, condition and tokens that it is about.
            now_ns: Monotonic now.
        """
        if not self._faults:
            return True
        for fault in self._active(now_ns):
            order = fault.order
            is_meant = order.stream in ("", stream) and order.asset in ("", *names)
            if order.kind == "silence" and is_meant:
                self._count_strike(fault)
                return False
        return True

    def of_frames(self, now_ns: int) -> tuple[Fault, ...]:
        """Return the faults that change single frames."""
        if not self._faults:
            return ()
        return tuple(fault for fault in self._active(now_ns) if fault.order.kind in FRAME_KINDS)

    def refuses_handshake(self, path: str, now_ns: int) -> FaultOrder | None:
        """Return what answers the handshake of a socket, if a refusal names its path."""
        for fault in self._active(now_ns):
            order = fault.order
            is_meant = order.kind == "refuse" and order.path and path.startswith(order.path)
            if is_meant and self.strikes(fault):
                return order
        return None

    def refuses_stream(self, stream: str, now_ns: int) -> bool:
        """Tell whether a new connection is closed at once."""
        return any(
            fault.order.kind == "refuse_stream"
            and fault.order.stream in ("", stream)
            and self.strikes(fault)
            for fault in self._active(now_ns)
        )

    # --- the venue ------------------------------------------------------------------

    def struck_by(self, kind: FaultKind, now_ns: int) -> FaultOrder | None:
        """Return the first fault of a kind that strikes now, None when none does."""
        if not self._faults:
            return None
        for fault in self._active(now_ns):
            if fault.order.kind == kind and self.strikes(fault):
                return fault.order
        return None

    def clock_offset_ns(self, now_ns: int) -> int:
        """Return how far the venue's clock is ahead."""
        if not self._faults:
            return 0
        shifts = [fault for fault in self._active(now_ns) if fault.order.kind == "shift_clock"]
        for fault in shifts:
            self._count_strike(fault)
        return sum(fault.order.delay_ms for fault in shifts) * NS_PER_MS

    def price_percent(self, asset: str, source: str, now_ns: int, stream: str) -> int:
        """Return what a price told over a kind of stream is, in percent of the true one."""
        if not self._faults:
            return 100
        moves = [
            fault
            for fault in self._active(now_ns)
            if fault.order.kind == "move_price"
            and fault.order.asset in ("", asset)
            and fault.order.event in ("", source)
            and fault.order.stream in ("", stream)
        ]
        for fault in moves:
            self._count_strike(fault)
        return 100 + sum(fault.order.percent for fault in moves)

    def perp_percent(self, asset: str, what: str, way: str, now_ns: int) -> int:
        """Return what a told number of perpetual futures is, in percent of the true one."""
        found = [
            fault
            for fault in self._of_perps("scale_perp", asset, way, now_ns)
            if fault.order.event in ("", what)
        ]
        for fault in found:
            self._count_strike(fault)
        return 100 + sum(fault.order.percent for fault in found)

    def negates_interest(self, asset: str, way: str, now_ns: int) -> bool:
        """Tell whether the open interest of perpetual futures is told below zero."""
        found = self._of_perps("negate_interest", asset, way, now_ns)
        for fault in found:
            self._count_strike(fault)
        return bool(found)

    def _of_perps(self, kind: FaultKind, asset: str, way: str, now_ns: int) -> tuple[Fault, ...]:
        if not self._faults:
            return ()
        return tuple(
            fault
            for fault in self._active(now_ns)
            if fault.order.kind == kind
            and fault.order.asset in ("", asset)
            and fault.order.stream in ("", way)
        )

    def tells_time(self, now_ns: int) -> bool:
        """Tell whether the time server answers: a silence of the stream `time` ends that."""
        silences = [
            fault
            for fault in self._active(now_ns)
            if fault.order.kind == "silence" and fault.order.stream == "time"
        ]
        for fault in silences:
            self._count_strike(fault)
        return not silences

    def strikes(self, fault: Fault) -> bool:
        """Draw whether a fault strikes once more, and count it."""
        if fault.left == 0:
            return False
        if not self._chance.happens(round(fault.order.probability * PPM)):
            return False
        if fault.left is not None:
            fault.left -= 1
        self._count_strike(fault)
        return True

    def _count_strike(self, fault: Fault) -> None:
        if fault.entry:
            self.struck[fault.entry] = self.struck.get(fault.entry, 0) + 1

    def _active(self, now_ns: int) -> tuple[Fault, ...]:
        if not self._faults:
            return ()
        self._drop_ended(now_ns)
        return tuple(fault for fault in self._faults.values() if fault.is_on(now_ns))

    def _drop_ended(self, now_ns: int) -> None:
        for fault in tuple(self._faults.values()):
            is_over = fault.until_ns is not None and fault.until_ns <= now_ns
            if is_over or fault.left == 0:
                del self._faults[fault.fault_id]


def _meets_request(order: FaultOrder, request: Request) -> bool:
    if order.method not in ("", request.method) or not request.path.startswith(order.path):
        return False
    if order.query:
        name, _, value = order.query.partition("=")
        if request.query.get(name) != value:
            return False
    return order.body.encode() in request.body


def _worse(fate: Fate, order: FaultOrder) -> Fate:
    delay_ns = max(0, order.delay_ms) * NS_PER_MS
    if order.kind in REPLY_KINDS:
        return msgspec.structs.replace(fate, altered=(*fate.altered, order))
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

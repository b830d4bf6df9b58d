"""People at risk's control socket besides the operator: who asks anything, at any moment.

They wait for no answer and repeat nothing. What they hold (a flatten, a disabled strategy, a
halted asset) the operator of the run finds and clears, as a person would.
"""

from collections.abc import Callable

from services.simulator.chance import Chance
from shared.effects import Message
from shared.operator import (
    REQUEST_BYTES_MAX,
    Capital,
    Disable,
    Drill,
    Enable,
    Flatten,
    Halt,
    LatchName,
    OperatorGone,
    OperatorRequest,
    Request,
    Reset,
    Resume,
    Status,
    encode_request,
)
from shared.topics import MARKET_MAKING

UID, PID = 1000, 2
FIRST_CONNECTION = 1_000_000
"""Far from the numbers of the operator's own connections."""

REASON = "simulated visitor"
NEVER_SET = LatchName("operator_halt", "account", "", 4_000)
"""A version that no run reaches: to name it clears nothing."""

REQUESTS: dict[str, Request] = {
    "status": Status(),
    "capital": Capital(),
    "drill": Drill(reason=REASON),
    "halt-asset": Halt(scope="asset", scope_id="btc", reason=REASON),
    "halt-nowhere": Halt(scope="asset", scope_id="no such asset", reason=REASON),
    "flatten": Flatten(reason=REASON),
    "disable": Disable(strategy=MARKET_MAKING, reason=REASON),
    "enable-wrong": Enable(strategy=MARKET_MAKING, version=4_000, reason=REASON),
    "resume-wrong": Resume(latches=(NEVER_SET,), reason=REASON),
    "reset-wrong": Reset(strategy=MARKET_MAKING, latches=(NEVER_SET,), reason=REASON),
}

MALFORMED: tuple[bytes, ...] = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'{"type":"resume"}',
    b'{"type":"resume","latches":[],"reason":"x"}',
    b'{"type":"resume","latches":[{"name":"x","scope":"account","scope_id":"","version":0}]}',
    b'{"type":"resume","all":true,"reason":"x"}',
    b'{"type":"halt","scope":"everything","reason":"x"}',
    b'{"type":"halt","reason":""}',
    b'{"type":"ramp","usd":1000000,"reason":"x"}',
    b'{"type":"sudo","reason":"x"}',
    b"\xff\xfe\x00",
    b"[" * 5_000,
    b" " * (REQUEST_BYTES_MAX + 1),
)

MALFORMED_MODE = "malformed"
GONE_MODE = "flatten-gone"
MODES = (*REQUESTS, MALFORMED_MODE, GONE_MODE)


class Visitors:
    """Everybody who asks risk something once."""

    def __init__(self, chance: Chance, deliver: Callable[[Message], bool]) -> None:
        """Take the parts.

        Args:
            chance: Chooses among malformed lines.
            deliver: Hands a message to risk; False when risk is not there.
        """
        self._chance = chance
        self._deliver = deliver
        self._connection = FIRST_CONNECTION

    def ask(self, mode: str) -> None:
        """Ask what a mode names; where risk is not there nobody hears it."""
        self._connection += 1
        if mode == MALFORMED_MODE:
            body = MALFORMED[self._chance.below(len(MALFORMED))]
        else:
            body = encode_request(REQUESTS["flatten" if mode == GONE_MODE else mode])
        self._deliver(OperatorRequest(self._connection, UID, PID, body))
        if mode == GONE_MODE:
            self._deliver(OperatorGone(self._connection))

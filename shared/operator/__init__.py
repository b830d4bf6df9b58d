"""What an operator may ask of risk over the control socket, and what risk answers.

One JSON object a line each way, tagged by the key `type`, decoded against these structs:
unknown keys, wrong types and oversized text are refused with a `RequestRefused` that names the
place, and change nothing. Stopping is easy: one word and a reason. What lets trading go on
names the very latch versions it clears, so that a halt that arrived meanwhile is not cleared.

The answer to a `Halt`, `Flatten` or `Disable` comes when zero is proven and the latch is on
disk, not before; the answer to a `Resume`, `Enable`, `Reset` or `Ramp` when its change is on
disk; to a `Drill` when its fence is proven. An asker that goes away changes none of them.
"""

from shared.operator.lines import (
    REQUEST_BYTES_MAX,
    OperatorForbidden,
    OperatorGone,
    OperatorReply,
    OperatorRequest,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)
from shared.operator.replies import (
    CapitalReport,
    Drilled,
    DrillReport,
    FenceTimes,
    Halted,
    Ramped,
    RecoveryCheck,
    Reply,
    RequestRefused,
    Resumed,
    ResumeRefused,
    StatusReport,
    SwitchDetail,
    SwitchList,
)
from shared.operator.requests import (
    LATCHES_MAX,
    TEXT_MAX,
    Capital,
    Disable,
    Drill,
    Enable,
    Flatten,
    Halt,
    LatchName,
    PaperRun,
    Ramp,
    Request,
    Reset,
    Resume,
    Status,
    Switches,
)

__all__ = [
    "LATCHES_MAX",
    "REQUEST_BYTES_MAX",
    "TEXT_MAX",
    "Capital",
    "CapitalReport",
    "Disable",
    "Drill",
    "DrillReport",
    "Drilled",
    "Enable",
    "FenceTimes",
    "Flatten",
    "Halt",
    "Halted",
    "LatchName",
    "OperatorForbidden",
    "OperatorGone",
    "OperatorReply",
    "OperatorRequest",
    "PaperRun",
    "Ramp",
    "Ramped",
    "RecoveryCheck",
    "Reply",
    "Request",
    "RequestRefused",
    "Reset",
    "Resume",
    "ResumeRefused",
    "Resumed",
    "Status",
    "StatusReport",
    "SwitchDetail",
    "SwitchList",
    "Switches",
    "decode_reply",
    "decode_request",
    "encode_reply",
    "encode_request",
]

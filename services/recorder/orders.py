"""What risk's status asks of the recorder: to hurry less, or to keep nothing more. Pure.

Recording is background work: it gives way when the host is short of resources (CB-5), and stops
before the disk is full (CP-5), so that the ledger never is what finds no space.
"""

import msgspec

from shared.effects import EnvelopeReceived
from shared.switches import DISK_LOW, RESOURCES

STATUS_TOPIC = "risk.status"
STOPPING_LEVELS = frozenset({"critical", "full"})


class _Tripped(msgspec.Struct, frozen=True):
    """The part of a switch that is looked at; the rest of the status is passed over."""

    name: str
    reason: str
    evidence: str


class _Status(msgspec.Struct, frozen=True):
    switches: tuple[_Tripped, ...]


class Orders(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        unhurried: Whether to write less often.
        stopped: Why nothing more is to be kept; empty while it is.
    """

    unhurried: bool = False
    stopped: str = ""


_STATUS = msgspec.msgpack.Decoder(_Status)


def orders_in(envelope: EnvelopeReceived) -> Orders | None:
    """Return what an envelope asks of the recorder; None when it is no status of risk."""
    if envelope.topic != STATUS_TOPIC:
        return None
    try:
        status = _STATUS.decode(envelope.frames[-1])
    except msgspec.DecodeError:
        return None  # recorded as it is; whoever reads the bus finds it corrupt
    low = [
        row.reason
        for row in status.switches
        if row.name == DISK_LOW.name and row.evidence in STOPPING_LEVELS
    ]
    unhurried = any(row.name == RESOURCES.name for row in status.switches)
    return Orders(unhurried, low[0] if low else "")

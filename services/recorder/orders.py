"""What risk's status asks of the recorder: to hurry less, to make room, to keep nothing more. Pure.

Recording is background work: it gives way when the host is short of resources (CB-5). At the first
level of a filling disk (CP-5) it archives and cleans, at the second it stops, at the third it
deletes its oldest hours, so that the ledger never is what finds no space.
"""

from typing import Final, Literal

import msgspec

from shared.effects import EnvelopeReceived
from shared.switches import DISK_LOW, RESOURCES

STATUS_TOPIC = "risk.status"

DiskLevel = Literal["", "warn", "critical", "full"]
LEVELS: Final[tuple[DiskLevel, ...]] = ("", "warn", "critical", "full")
STOPPING_LEVELS: Final = frozenset({"critical", "full"})


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
        unhurried: Whether to write less often, and to do nothing that nobody waits for.
        stopped: Why nothing more is to be kept; empty while it is.
        disk: How full the fuller of the group's disks is.
    """

    unhurried: bool = False
    stopped: str = ""
    disk: DiskLevel = ""


_STATUS = msgspec.msgpack.Decoder(_Status)


def orders_in(envelope: EnvelopeReceived) -> Orders | None:
    """Return what an envelope asks of the recorder; None when it is no status of risk."""
    if envelope.topic != STATUS_TOPIC:
        return None
    try:
        status = _STATUS.decode(envelope.frames[-1])
    except msgspec.DecodeError:
        return None  # recorded as it is; whoever reads the bus finds it corrupt
    told = {row.evidence: row.reason for row in status.switches if row.name == DISK_LOW.name}
    level: DiskLevel = ""
    for one in LEVELS:
        level = one if one in told else level
    stopped = [told[one] for one in LEVELS if one in told and one in STOPPING_LEVELS]
    unhurried = any(row.name == RESOURCES.name for row in status.switches)
    return Orders(unhurried, stopped[0] if stopped else "", level)

"""What became of the supervised programs: one JSON line each, read to count restarts by.

Watch writes down what supervisord tells it, risk what it did itself; both append to one file of
the run directory, so that the count outlives every process of the group and ends with the
group: `interlock up` begins a new file. Stamps are CLOCK_BOOTTIME, the same for all processes of
the machine. Pure words: the file is opened elsewhere.
"""

from typing import Final, Literal

import msgspec

from shared.units import BootNs, WallNs

EVENTS_FILE: Final = "program-events.jsonl"
"""Name inside the run directory."""

EVENTS_BYTES_MAX: Final = 4 * 1024 * 1024
"""The file is then put aside as `.1`: some 20 000 events, hours of a program that ends at once."""

LINE_BYTES_MAX: Final = 1_000
"""No line is longer; a longer one is none of ours."""

EventKind = Literal["exited", "backoff", "stopped", "killed", "flapping", "cleared", "handed_over"]


class ProgramEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that became of a program.

    Attributes:
        kind: By watch: `exited` (it ran and ended), `backoff` (it ended within its first second)
            and `stopped` (it ended because supervisord was asked to stop it). By risk: `killed`
            (the kill of a hung one, before its end), `flapping` (it ended too often and is to
            be stopped), `cleared` (an operator has ended that) and `handed_over` (nothing of a
            crashed strategy's position is left to be taken care of).
        pid: Of the run that it is about; 0 where nobody told it.
        expected: Whether an `exited` run ended with status 0.
    """

    boot_ns: BootNs
    wall_ns: WallNs
    program: str
    kind: EventKind
    pid: int = 0
    expected: bool = False


_DECODER: Final = msgspec.json.Decoder(ProgramEvent)


def encode_event(event: ProgramEvent) -> bytes:
    """Return the line of an event, with its end."""
    return msgspec.json.encode(event) + b"\n"


def decode_event(line: bytes) -> ProgramEvent | None:
    """Return the event of one line, None for a line that is none."""
    if len(line) > LINE_BYTES_MAX:
        return None
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

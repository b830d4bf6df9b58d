"""Lines of the file from which ends are counted: whole or none."""

import pytest

from shared.program_events import LINE_BYTES_MAX, ProgramEvent, decode_event, encode_event
from shared.units import BootNs, WallNs

EVENT = ProgramEvent(BootNs(1), WallNs(2), "state", "exited", 7, expected=True)


def test_event_comes_back_as_it_was() -> None:
    line = encode_event(EVENT)
    assert line.endswith(b"\n")
    assert decode_event(line[:-1]) == EVENT


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        encode_event(EVENT)[:-5],
        encode_event(EVENT).replace(b"exited", b"melted"),
        encode_event(EVENT)[:-2] + b',"more":1}',
        b" " * LINE_BYTES_MAX + encode_event(EVENT),
    ],
)
def test_line_that_is_no_event_is_none(line: bytes) -> None:
    assert decode_event(line) is None

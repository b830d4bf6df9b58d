"""Supervisord's event protocol, whole and in pieces."""

import pytest

from services.watch.events import BUFFER_BYTES_MAX, Event, EventStream, ProtocolBroken

PAYLOAD = b"processname:risk groupname:risk from_state:RUNNING expected:0 pid:7"
HEADER = (
    b"ver:3.0 server:supervisor serial:21 pool:watch poolserial:10"
    b" eventname:PROCESS_STATE_EXITED len:%d\n" % len(PAYLOAD)
)
EVENT = Event(
    "PROCESS_STATE_EXITED",
    {
        "processname": "risk",
        "groupname": "risk",
        "from_state": "RUNNING",
        "expected": "0",
        "pid": "7",
    },
)


def test_event_is_taken_whole() -> None:
    assert EventStream().feed(HEADER + PAYLOAD) == [EVENT]


def test_event_is_taken_however_it_is_cut() -> None:
    stream = EventStream()
    events = [event for byte in HEADER + PAYLOAD for event in stream.feed(bytes([byte]))]
    assert events == [EVENT]


def test_two_events_at_once_are_two() -> None:
    assert EventStream().feed((HEADER + PAYLOAD) * 2) == [EVENT, EVENT]


def test_tick_has_a_payload_without_a_process() -> None:
    (event,) = EventStream().feed(b"eventname:TICK_5 len:15\nwhen:1201063880")
    assert event == Event("TICK_5", {"when": "1201063880"})


@pytest.mark.parametrize("line", [b"nonsense\n", b"eventname:X\n", b"len:5\n", b"\n"])
def test_what_is_no_event_breaks_the_protocol(line: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        EventStream().feed(line)


def test_what_never_ends_breaks_the_protocol() -> None:
    with pytest.raises(ProtocolBroken):
        EventStream().feed(b"x" * (BUFFER_BYTES_MAX + 1))

"""Every event in every state, and every state left alone, tick by tick."""

from collections.abc import Callable
from typing import get_args

import pytest

from services.feed.connection import Connection, ConnectionState
from services.feed.connection_rules import ConnectionRules
from shared.effects import Effect, StreamClose, StreamClosed, StreamOpen, StreamSend
from shared.units import NS_PER_S, Instant
from tests.builders.feeds import at, of_type

EVENTS: dict[str, Callable[[Connection, Instant], list[Effect] | None]] = {
    "start": lambda found, now: found.start(now),
    "renew": lambda found, now: found.renew(now),
    "tick": lambda found, now: found.on_tick(now),
    "opened": lambda found, now: (
        found.on_opened(now) if found.state == "opening" and found.owns(found.stream) else None
    ),
    "confirm": lambda found, now: found.confirm(now),
    "pong": lambda found, now: found.on_pong(now),
    "life": lambda found, now: found.on_life(now),
    "closed": lambda found, now: (
        found.on_closed(StreamClosed(found.stream, 1006, "gone"), now)
        if found.owns(found.stream)
        else None
    ),
    "refused": lambda found, now: (
        found.on_closed(StreamClosed(found.stream, 4008, "policy"), now)
        if found.owns(found.stream)
        else None
    ),
    "drop": lambda found, now: found.drop("doubt", now),
    "bar": lambda found, now: found.bar("auth", now),
    "send": lambda found, now: found.send("x"),
    "stop": lambda found, now: found.stop("end", now),
}
"""Everything that an owner may do, as it does it: what is about another attempt is passed over."""

FOLLOWING: dict[str, dict[str, str]] = {
    "stopped": {"start": "opening"},
    "waiting": {"stop": "stopped"},
    "opening": {
        "opened": "opened",
        "closed": "waiting",
        "drop": "waiting",
        "refused": "barred",
        "bar": "barred",
        "stop": "stopped",
    },
    "opened": {
        "confirm": "ready",
        "closed": "waiting",
        "drop": "waiting",
        "refused": "barred",
        "bar": "barred",
        "stop": "stopped",
    },
    "ready": {
        "closed": "waiting",
        "drop": "waiting",
        "refused": "barred",
        "bar": "barred",
        "stop": "stopped",
    },
    "barred": {"renew": "opening", "stop": "stopped"},
}
"""Where each leads; what is not named changes nothing."""


def in_state(state: str) -> Connection:
    """Return a connection that has come to a state by its own way, a second ago."""
    found = Connection(ConnectionRules("market", "ws://venue", "PING", NS_PER_S), 3)
    if state == "stopped":
        return found
    found.start(at(0))
    if state == "waiting":
        for _ in range(2):  # the first loss costs no pause
            found.drop("test", at(0))
            if found.on_tick(at(0)) == []:
                break
    if state in ("opened", "ready", "barred"):
        found.on_opened(at(0))
    if state in ("ready", "barred"):
        found.confirm(at(0))
        found.on_tick(at(0))
    if state == "barred":
        found.bar("test", at(0))
    assert found.state == state
    return found


@pytest.mark.req("NET-1", "NET-2")
@pytest.mark.parametrize("state", get_args(ConnectionState))
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_in_every_state_leads_where_its_table_says(state: str, event: str) -> None:
    found = in_state(state)
    stream = found.stream
    effects = EVENTS[event](found, at(500)) or []
    assert found.state == FOLLOWING[state].get(event, state)
    has_left = state in ("opening", "opened", "ready") and found.state in (
        "waiting",
        "barred",
        "stopped",
    )
    is_told = event in ("closed", "refused")
    assert (StreamClose(stream) in effects) == (has_left and not is_told)
    assert bool(of_type(effects, StreamOpen)) == (
        found.state == "opening" and state not in ("opening",)
    )
    assert bool(of_type(effects, StreamSend)) <= found.is_open


DEADLINES_MS = {
    "opening": (6_000, "waiting"),
    "opened": (3_000, "waiting"),
    "ready": (3_000, "waiting"),
}
"""When each state is left with nobody saying anything: without a pong, after three seconds."""


@pytest.mark.req("NET-1")
@pytest.mark.parametrize("state", get_args(ConnectionState))
def test_no_state_lasts_for_ever_unheard_tick_by_tick(state: str) -> None:
    found = in_state(state)
    left_ms = None
    for step in range(0, 12_000, 10):
        found.on_tick(at(step))
        if found.state != state:
            left_ms = step
            break
    expected = DEADLINES_MS.get(state)
    if expected is not None:
        assert (left_ms, found.state) == expected
    elif state == "waiting":
        assert found.state == "opening"
    else:
        assert left_ms is None

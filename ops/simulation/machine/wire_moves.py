"""Moves of what lies between execution and the venue: moods, requests, own-order events."""

from typing import Final

from ops.simulation.machine.company import Feeds
from ops.simulation.machine.machine import Machine
from ops.simulation.machine.trading_moves import WAITS_MS
from services.simulator.answers import Answer, error
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE, FEED_USER, MARKET_MAKING, STATE

SILENT: Final = (FEED_USER, FEED_MARKET, FEED_PRICE, STATE, MARKET_MAKING, FEED_DISCOVERY)

GARBLED: Final = (
    Answer(200, b""),
    Answer(200, b"{"),
    Answer(200, b"[]"),
    Answer(200, b'{"success":true,"errorMsg":"","orderID":"","status":"live"}'),
    Answer(502, b"<html>Bad Gateway</html>"),
    Answer(200, b"null"),
)
"""Answers that say nothing that may be believed."""

ERRORS: Final = (
    error(500, "could not insert order"),
    error(429, "Too Many Requests", 1),
    error(425, "Service is not ready", 1),
    error(503, "Trading is currently disabled. Check polymarket.com for updates"),
    error(500, "internal server error"),
)
"""Refusals of any request; those that name a server's fault may come after it was done, too."""


def mode(machine: Machine, a: int, b: int) -> None:
    """Let the venue take less than usual for a while."""
    lasts_ms = 100 + b % 2_000
    now = machine.clock.now
    match a % 4:
        case 0:
            machine.venue.switch("restarting", now, duration_ms=lasts_ms)
        case 1:
            machine.venue.switch("disabled", now, duration_ms=lasts_ms)
        case 2:
            machine.venue.switch("cancel_only", now, duration_ms=lasts_ms)
        case _:
            machine.venue.switch("post_only", now, duration_ms=lasts_ms)


def drain(machine: Machine, a: int, b: int) -> None:
    """Empty our bucket of orders."""
    machine.venue.drain(machine.clock.now)


def fail_next(machine: Machine, a: int, b: int) -> None:
    """Let the next request be refused."""
    answer = ERRORS[a % len(ERRORS)]
    # Only a server's fault may be told of something that was done all the same.
    was_done = answer.status == 500 and bool(b & 1)
    machine.answers_next.append((answer, was_done))


def garble_next(machine: Machine, a: int, b: int) -> None:
    """Let the next request be answered by what nobody can read."""
    machine.answers_next.append((GARBLED[a % len(GARBLED)], bool(b & 1)))


def restart_venue(machine: Machine, a: int, b: int) -> None:
    """Restart the venue: what it was about to say is lost."""
    machine.venue.switch("restarting", machine.clock.now, duration_ms=500 + a % 2_000)
    disconnect(machine, a, b)
    for flight in machine.network.answered():
        flight.answer = None


def flow(machine: Machine, a: int, b: int) -> None:
    """Let requests land and answers arrive."""
    machine.flow(with_posts=a % 3 > 0, newest_first=bool(b & 1))


def land(machine: Machine, a: int, b: int) -> None:
    """Let one request land."""
    flights = machine.network.landing(machine.clock.now)
    if flights:
        machine.land(flights[a % len(flights)])


def answer(machine: Machine, a: int, b: int) -> None:
    """Let one answer arrive."""
    flights = machine.network.answered()
    if flights:
        machine.answer(flights[a % len(flights)])


def lose_request(machine: Machine, a: int, b: int) -> None:
    """Lose one request."""
    flights = machine.network.landing(machine.clock.now)
    if flights:
        flights[a % len(flights)].landed = True


def lose_answer(machine: Machine, a: int, b: int) -> None:
    """Lose one answer."""
    flights = machine.network.answered()
    if flights:
        flights[a % len(flights)].answer = None


def cut(machine: Machine, a: int, b: int) -> None:
    """Break the connection of one request."""
    run = machine.run
    if run is None:
        return
    flights = [f for f in machine.network.unheard() if f.who == int(run.incarnation)]
    if flights:
        run.lanes.end(flights[a % len(flights)], "reset")
        machine.when_alive(lambda alive: alive.hear_lanes())


def cut_post(machine: Machine, a: int, b: int) -> None:
    """Break the connection of a post that may still land: nobody knows what became of it."""
    run = machine.run
    if run is None:
        return
    landing = machine.network.landing(machine.clock.now)
    posts = [
        flight
        for flight in landing
        if flight.request.permit is not None
        and not flight.heard
        and flight.who == int(run.incarnation)
    ]
    if posts:
        run.lanes.end(posts[a % len(posts)], "reset")
        machine.when_alive(lambda alive: alive.hear_lanes())
        if b & 1:
            machine.wait(WAITS_MS[a % len(WAITS_MS)])
            machine.flow(with_posts=False)


def garble(machine: Machine, a: int, b: int) -> None:
    """Spoil one answer."""
    flights = machine.network.answered()
    if not flights:
        return
    flight = flights[a % len(flights)]
    assert flight.answer is not None, "only what was answered is chosen"
    cut = flight.answer.body[: b % (len(flight.answer.body) + 1)]
    flight.answer = GARBLED[b % len(GARBLED)] if b & 1024 else Answer(flight.answer.status, cut)


def stall(machine: Machine, a: int, b: int) -> None:
    """Let no connection take anything, or take it again."""
    if machine.run is not None:
        machine.run.lanes.is_stalled = not machine.run.lanes.is_stalled


def turn_network(machine: Machine, a: int, b: int) -> None:
    """Let requests move by themselves, or by actions alone."""
    machine.network.is_prompt = not machine.network.is_prompt


def hear(machine: Machine, a: int, b: int) -> None:
    """Let one own-order event be heard, whichever came first."""
    machine.hear(a)


def hear_all(machine: Machine, a: int, b: int) -> None:
    """Let every own-order event be heard."""
    machine.hear_all()


def hear_again(machine: Machine, a: int, b: int) -> None:
    """Let an old event be heard once more."""
    machine.hear_again(a)


def lose_event(machine: Machine, a: int, b: int) -> None:
    """Lose one event."""
    if machine.inbox:
        machine.inbox.pop(a % len(machine.inbox))


def disconnect(machine: Machine, a: int, b: int) -> None:
    """Break the own-order stream."""
    machine.feeds.is_connected = False
    if a & 1:
        machine.inbox.clear()


def reconnect(machine: Machine, a: int, b: int) -> None:
    """Connect it again."""
    if not machine.feeds.is_connected:
        machine.reconnect()


def turn_stream(machine: Machine, a: int, b: int) -> None:
    """Let events be heard by themselves, or by actions alone."""
    machine.is_prompt = not machine.is_prompt


def silence(machine: Machine, a: int, b: int) -> None:
    """Let one component be silent, or all speak again."""
    feeds: Feeds = machine.feeds
    if feeds.silent:
        feeds.silent.clear()
    else:
        feeds.silent.add(SILENT[a % len(SILENT)])


def gap(machine: Machine, a: int, b: int) -> None:
    """Lose facts of one component."""
    machine.tell(machine.feeds.gap(SILENT[a % len(SILENT)]))

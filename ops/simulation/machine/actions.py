"""Every action that may be taken on a machine: what it does, and how often a walk takes it.

An action means something in every state, if only nothing, so that any part of a list of actions
is a list of actions: that is what lets a failure shrink. Its two numbers choose among what there
is to choose from.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ops.simulation.machine.company import Feeds
from ops.simulation.machine.machine import Machine
from services.execution.messages import PanicSeen
from services.simulator.answers import Answer, error
from services.simulator.chance import Chance
from services.simulator.markets import FINE_TICK_E4, TICK_E4, Market
from services.simulator.matching import Outcome
from shared.control import ScopeKind, ScopeOrder
from shared.effects import Stop
from shared.facts import Side
from shared.targets import Target
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE, FEED_USER, MARKET_MAKING, STATE
from shared.trading_state import TradingState
from shared.units import PriceE4, SizeE6

NUMBER_MAX: Final = 65_535
"""Of either number of an action."""

WAITS_MS: Final = (10, 20, 50, 50, 50, 100, 100, 200)
SLEEPS_MS: Final = (300, 450, 450, 900, 900, 900, 3_000, 3_000, 20_000, 130_000)
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


class Action(NamedTuple):
    """One action, with the numbers that choose."""

    name: str
    a: int = 0
    b: int = 0


Move = Callable[[Machine, int, int], None]


def do(machine: Machine, action: Action) -> None:
    """Take an action, and look for what must never be seen."""
    try:
        MOVES[action.name][0](machine, action.a, action.b)
        machine.look()
    except AssertionError as error:
        # A core that finds its own bug ends; people would have to find out why.
        machine.findings.add("assert", repr(error))


def draw(chance: Chance) -> Action:
    """Draw the next action of a walk."""
    drawn = chance.below(_TOTAL)
    for name, (_, weight) in MOVES.items():
        if drawn < weight:
            return Action(name, chance.below(NUMBER_MAX + 1), chance.below(NUMBER_MAX + 1))
        drawn -= weight
    raise AssertionError("the weights add up")


# --- time -------------------------------------------------------------------------------


def _wait(machine: Machine, a: int, b: int) -> None:
    machine.wait(WAITS_MS[a % len(WAITS_MS)])


def _linger(machine: Machine, a: int, b: int) -> None:
    machine.linger(200 + a % 2_000)


def _sleep(machine: Machine, a: int, b: int) -> None:
    machine.sleep(SLEEPS_MS[a % len(SLEEPS_MS)])


def _doze(machine: Machine, a: int, b: int) -> None:
    """Be suspended just when an order waits for its commit: it must not leave afterwards."""
    if machine.run is not None and machine.run.disk.waiting:
        machine.sleep(300 + a % 400)
        if b & 1:
            machine.when_alive(lambda run: run.commit())


def _recover(machine: Machine, a: int, b: int) -> None:
    machine.heal()
    machine.linger(3_000 + a % 3_000)


def _calm(machine: Machine, a: int, b: int) -> None:
    if a % 2:
        machine.feeds.wishes.clear()
    machine.calm()


# --- the strategy -----------------------------------------------------------------------


def _wish(machine: Machine, a: int, b: int) -> None:
    markets = machine.venue.trading()
    if not markets:
        return
    market = markets[a % len(markets)]
    bits = Chance(a << 16 | b)
    targets = [_target(machine, market, bits) for _ in range(1 + bits.below(8))]
    machine.feeds.wishes[market.condition_id] = tuple(targets)
    machine.feeds.wish(machine.tell)


def _target(machine: Machine, market: Market, bits: Chance) -> Target:
    token = market.tokens[bits.below(2)]
    side: Side = "SELL" if bits.below(4) == 0 else "BUY"
    base = 4_300 + 100 * bits.below(9) if side == "BUY" else 4_900 + 100 * bits.below(8)
    fine = bits.below(10) * 10 if market.tick == FINE_TICK_E4 and bits.below(2) else 0
    is_exit = side == "SELL" and bits.below(3) == 0
    return Target(
        token=token,
        side=side,
        level=bits.below(3),
        price=PriceE4(base + fine),
        size=SizeE6((5, 6, 7, 10, 12)[bits.below(5)] * 1_000_000),
        post_only=not (is_exit or bits.below(6) == 0),
        reduce_only=side == "SELL",
        purpose="unwind" if is_exit else "quote" if side == "SELL" else "complete",
    )


def _unwish(machine: Machine, a: int, b: int) -> None:
    machine.feeds.wishes = dict.fromkeys(machine.feeds.wishes, ())
    machine.feeds.wish(machine.tell)


# --- the market -------------------------------------------------------------------------


def _hit(machine: Machine, a: int, b: int) -> None:
    machine.venue.crowd_hits(a, (1 + b % 12) * 500_000, machine.clock.now)


def _crowd(machine: Machine, a: int, b: int) -> None:
    markets = machine.venue.trading()
    if markets:
        market = markets[a % len(markets)]
        outcome: Outcome = 1 if a >> 8 & 1 else 0
        price = 3_800 + 100 * (b % 14)
        size = (1 + (b >> 4) % 20) * 1_000_000
        machine.venue.crowd_buys(market, outcome, price, size, machine.clock.now)


def _withdraw(machine: Machine, a: int, b: int) -> None:
    machine.venue.crowd_leaves(a)


def _trouble(machine: Machine, a: int, b: int) -> None:
    now = machine.clock.now
    match a % 4:
        case 0 | 1:
            machine.venue.switch("fail_settlement", now, count=1 + b % 2)
        case 2:
            machine.venue.switch("retry_settlement", now, count=1 + b % 2)
        case _:
            machine.venue.switch("slow_settlement", now, count=1, delay_ms=b % 4_000)
    if b & 256:
        machine.venue.switch("hold_broadcast", now, count=1, delay_ms=b % 900)


def _change_tick(machine: Machine, a: int, b: int) -> None:
    markets = machine.venue.trading()
    if markets:
        market = markets[a % len(markets)]
        market.tick = FINE_TICK_E4 if market.tick == TICK_E4 else TICK_E4


def _stranger(machine: Machine, a: int, b: int) -> None:
    markets = machine.venue.trading()
    if markets:
        price = 2_000 + 100 * (b % 10)
        machine.venue.stranger(markets[a % len(markets)], price, machine.clock.now)


# --- the venue's moods ------------------------------------------------------------------


def _mode(machine: Machine, a: int, b: int) -> None:
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


def _drain(machine: Machine, a: int, b: int) -> None:
    machine.venue.drain(machine.clock.now)


def _fail_next(machine: Machine, a: int, b: int) -> None:
    answer = ERRORS[a % len(ERRORS)]
    # Only a server's fault may be told of something that was done all the same.
    was_done = answer.status == 500 and bool(b & 1)
    machine.answers_next.append((answer, was_done))


def _garble_next(machine: Machine, a: int, b: int) -> None:
    machine.answers_next.append((GARBLED[a % len(GARBLED)], bool(b & 1)))


def _restart_venue(machine: Machine, a: int, b: int) -> None:
    machine.venue.switch("restarting", machine.clock.now, duration_ms=500 + a % 2_000)
    _disconnect(machine, a, b)
    for flight in machine.network.answered():
        flight.answer = None


# --- requests ---------------------------------------------------------------------------


def _flow(machine: Machine, a: int, b: int) -> None:
    machine.flow(with_posts=a % 3 > 0, newest_first=bool(b & 1))


def _land(machine: Machine, a: int, b: int) -> None:
    flights = machine.network.landing(machine.clock.now)
    if flights:
        machine.land(flights[a % len(flights)])


def _answer(machine: Machine, a: int, b: int) -> None:
    flights = machine.network.answered()
    if flights:
        machine.answer(flights[a % len(flights)])


def _lose_request(machine: Machine, a: int, b: int) -> None:
    flights = machine.network.landing(machine.clock.now)
    if flights:
        flights[a % len(flights)].landed = True


def _lose_answer(machine: Machine, a: int, b: int) -> None:
    flights = machine.network.answered()
    if flights:
        flights[a % len(flights)].answer = None


def _cut(machine: Machine, a: int, b: int) -> None:
    run = machine.run
    if run is None:
        return
    flights = [f for f in machine.network.unheard() if f.who == int(run.incarnation)]
    if flights:
        run.lanes.end(flights[a % len(flights)], "reset")
        machine.when_alive(lambda alive: alive.hear_lanes())


def _cut_post(machine: Machine, a: int, b: int) -> None:
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


def _garble(machine: Machine, a: int, b: int) -> None:
    flights = machine.network.answered()
    if not flights:
        return
    flight = flights[a % len(flights)]
    assert flight.answer is not None, "only what was answered is chosen"
    cut = flight.answer.body[: b % (len(flight.answer.body) + 1)]
    flight.answer = GARBLED[b % len(GARBLED)] if b & 1024 else Answer(flight.answer.status, cut)


def _stall(machine: Machine, a: int, b: int) -> None:
    if machine.run is not None:
        machine.run.lanes.is_stalled = not machine.run.lanes.is_stalled


def _turn_network(machine: Machine, a: int, b: int) -> None:
    machine.network.is_prompt = not machine.network.is_prompt


# --- the own-order stream ---------------------------------------------------------------


def _hear(machine: Machine, a: int, b: int) -> None:
    machine.hear(a)


def _hear_all(machine: Machine, a: int, b: int) -> None:
    machine.hear_all()


def _hear_again(machine: Machine, a: int, b: int) -> None:
    machine.hear_again(a)


def _lose_event(machine: Machine, a: int, b: int) -> None:
    if machine.inbox:
        machine.inbox.pop(a % len(machine.inbox))


def _disconnect(machine: Machine, a: int, b: int) -> None:
    machine.feeds.is_connected = False
    if a & 1:
        machine.inbox.clear()


def _reconnect(machine: Machine, a: int, b: int) -> None:
    if not machine.feeds.is_connected:
        machine.reconnect()


def _turn_stream(machine: Machine, a: int, b: int) -> None:
    machine.is_prompt = not machine.is_prompt


def _silence(machine: Machine, a: int, b: int) -> None:
    feeds: Feeds = machine.feeds
    if feeds.silent:
        feeds.silent.clear()
    else:
        feeds.silent.add(SILENT[a % len(SILENT)])


def _gap(machine: Machine, a: int, b: int) -> None:
    machine.tell(machine.feeds.gap(SILENT[a % len(SILENT)]))


# --- risk and people --------------------------------------------------------------------


def _fence(machine: Machine, a: int, b: int) -> None:
    machine.risk.fence()
    machine.risk.say()


def _resume(machine: Machine, a: int, b: int) -> None:
    machine.risk.resume()
    machine.risk.say()


def _new_epoch(machine: Machine, a: int, b: int) -> None:
    machine.risk.epoch += 1
    machine.risk.say()


def _restart_risk(machine: Machine, a: int, b: int) -> None:
    machine.risk.restart()
    machine.risk.grants = bool(a & 1)


def _pause(machine: Machine, a: int, b: int) -> None:
    states: tuple[TradingState, ...] = ("PAUSED", "REDUCING", "ACTIVE")
    machine.risk.state = states[a % len(states)]
    machine.risk.lease_state = "REDUCING" if machine.risk.state == "REDUCING" else "ACTIVE"


def _scope(machine: Machine, a: int, b: int) -> None:
    markets = machine.venue.trading()
    kinds: tuple[ScopeKind, ...] = ("account", "market", "token", "strategy")
    kind = kinds[a % len(kinds)]
    if not markets:
        return
    market = markets[b % len(markets)]
    names = {"account": "", "market": market.condition_id, "token": market.tokens[0]}
    scope = ScopeOrder(kind, names.get(kind, "market_making"), 1 + a // 8, "PAUSED", "walk")
    machine.risk.scopes = () if machine.risk.scopes else (scope,)


def _hush(machine: Machine, a: int, b: int) -> None:
    machine.risk.speaks = not machine.risk.speaks


def _hold_line(machine: Machine, a: int, b: int) -> None:
    machine.risk.is_held = not machine.risk.is_held


def _hear_risk(machine: Machine, a: int, b: int) -> None:
    machine.hear_risk()


def _lose_pings(machine: Machine, a: int, b: int) -> None:
    machine.risk.line.clear()


def _panic(machine: Machine, a: int, b: int) -> None:
    machine.is_panic = not machine.is_panic
    machine.tell(PanicSeen(machine.is_panic))


# --- the disk and the process -----------------------------------------------------------


def _commit(machine: Machine, a: int, b: int) -> None:
    machine.when_alive(lambda run: run.commit())


def _turn_disk(machine: Machine, a: int, b: int) -> None:
    machine.commits_at_once = not machine.commits_at_once
    if machine.run is not None:
        machine.run.disk.is_prompt = machine.commits_at_once
        if machine.commits_at_once:
            machine.commit_all()


def _fail_commits(machine: Machine, a: int, b: int) -> None:
    if machine.run is not None:
        machine.run.disk.fails = 1 + a % 3


def _kill(machine: Machine, a: int, b: int) -> None:
    machine.kill(committed=bool(a & 1))
    if a & 2:
        machine.start()


def _start(machine: Machine, a: int, b: int) -> None:
    machine.start()


def _stop(machine: Machine, a: int, b: int) -> None:
    machine.tell(Stop("walk"))


MOVES: Final[dict[str, tuple[Move, int]]] = {
    "wait": (_wait, 300),
    "linger": (_linger, 25),
    "sleep": (_sleep, 9),
    "doze": (_doze, 16),
    "recover": (_recover, 11),
    "calm": (_calm, 6),
    "wish": (_wish, 90),
    "unwish": (_unwish, 8),
    "hit": (_hit, 80),
    "crowd": (_crowd, 40),
    "withdraw": (_withdraw, 15),
    "trouble": (_trouble, 20),
    "change_tick": (_change_tick, 6),
    "stranger": (_stranger, 3),
    "mode": (_mode, 6),
    "drain": (_drain, 5),
    "fail_next": (_fail_next, 15),
    "garble_next": (_garble_next, 8),
    "restart_venue": (_restart_venue, 2),
    "flow": (_flow, 40),
    "land": (_land, 70),
    "answer": (_answer, 50),
    "lose_request": (_lose_request, 8),
    "lose_answer": (_lose_answer, 10),
    "cut": (_cut, 12),
    "cut_post": (_cut_post, 10),
    "garble": (_garble, 10),
    "stall": (_stall, 6),
    "turn_network": (_turn_network, 14),
    "hear": (_hear, 50),
    "hear_all": (_hear_all, 20),
    "hear_again": (_hear_again, 25),
    "lose_event": (_lose_event, 10),
    "disconnect": (_disconnect, 3),
    "reconnect": (_reconnect, 20),
    "turn_stream": (_turn_stream, 14),
    "silence": (_silence, 5),
    "gap": (_gap, 5),
    "fence": (_fence, 2),
    "resume": (_resume, 14),
    "new_epoch": (_new_epoch, 2),
    "restart_risk": (_restart_risk, 1),
    "pause": (_pause, 4),
    "scope": (_scope, 4),
    "hush": (_hush, 2),
    "hold_line": (_hold_line, 6),
    "hear_risk": (_hear_risk, 20),
    "lose_pings": (_lose_pings, 4),
    "panic": (_panic, 1),
    "commit": (_commit, 180),
    "turn_disk": (_turn_disk, 10),
    "fail_commits": (_fail_commits, 4),
    "kill": (_kill, 5),
    "start": (_start, 20),
    "stop": (_stop, 1),
}
"""Each action with its weight in a walk."""

_TOTAL: Final = sum(weight for _, weight in MOVES.values())

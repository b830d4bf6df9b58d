"""Moves of time, of the strategy and of the market: what happens when nothing is wrong."""

from typing import Final

from ops.simulation.machine.machine import Machine
from services.simulator.chance import Chance
from services.simulator.markets import FINE_TICK_E4, TICK_E4, Market
from services.simulator.matching import Outcome
from shared.facts import Side
from shared.targets import Target
from shared.units import PriceE4, SizeE6

WAITS_MS: Final = (10, 20, 50, 50, 50, 100, 100, 200)

SLEEPS_MS: Final = (300, 450, 450, 900, 900, 900, 3_000, 3_000, 20_000, 130_000)


def wait(machine: Machine, a: int, b: int) -> None:
    """Let a little time pass."""
    machine.wait(WAITS_MS[a % len(WAITS_MS)])


def linger(machine: Machine, a: int, b: int) -> None:
    """Let time pass, tick by tick."""
    machine.linger(200 + a % 2_000)


def sleep(machine: Machine, a: int, b: int) -> None:
    """Suspend the machine."""
    machine.sleep(SLEEPS_MS[a % len(SLEEPS_MS)])


def doze(machine: Machine, a: int, b: int) -> None:
    """Be suspended just when an order waits for its commit: it must not leave afterwards."""
    if machine.run is not None and machine.run.disk.waiting:
        machine.sleep(300 + a % 400)
        if b & 1:
            machine.when_alive(lambda run: run.commit())


def recover(machine: Machine, a: int, b: int) -> None:
    """Let everything be well, and a start be proven."""
    machine.heal()
    machine.linger(3_000 + a % 3_000)


def calm(machine: Machine, a: int, b: int) -> None:
    """Let everything be well and compare everything."""
    if a % 2:
        machine.feeds.wishes.clear()
    machine.calm()


def wish(machine: Machine, a: int, b: int) -> None:
    """Let the strategy wish for something else in a market."""
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


def unwish(machine: Machine, a: int, b: int) -> None:
    """Let the strategy wish for nothing."""
    machine.feeds.wishes = dict.fromkeys(machine.feeds.wishes, ())
    machine.feeds.wish(machine.tell)


def hit(machine: Machine, a: int, b: int) -> None:
    """Let the crowd trade with one of our orders."""
    machine.venue.crowd_hits(a, (1 + b % 12) * 500_000, machine.clock.now)


def crowd(machine: Machine, a: int, b: int) -> None:
    """Let the crowd buy."""
    markets = machine.venue.trading()
    if markets:
        market = markets[a % len(markets)]
        outcome: Outcome = 1 if a >> 8 & 1 else 0
        price = 3_800 + 100 * (b % 14)
        size = (1 + (b >> 4) % 20) * 1_000_000
        machine.venue.crowd_buys(market, outcome, price, size, machine.clock.now)


def withdraw(machine: Machine, a: int, b: int) -> None:
    """Let one of the crowd withdraw."""
    machine.venue.crowd_leaves(a)


def trouble(machine: Machine, a: int, b: int) -> None:
    """Let the next settlements go wrong."""
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


def change_tick(machine: Machine, a: int, b: int) -> None:
    """Change the price step of a market."""
    markets = machine.venue.trading()
    if markets:
        market = markets[a % len(markets)]
        market.tick = FINE_TICK_E4 if market.tick == TICK_E4 else TICK_E4


def stranger(machine: Machine, a: int, b: int) -> None:
    """Let an order of our key come from nowhere."""
    markets = machine.venue.trading()
    if markets:
        price = 2_000 + 100 * (b % 10)
        machine.venue.stranger(markets[a % len(markets)], price, machine.clock.now)

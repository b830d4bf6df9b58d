"""Moves of risk and people, of the disk, and of the process itself."""

from ops.simulation.machine.machine import Machine
from services.execution.messages import PanicSeen
from shared.control import ScopeKind, ScopeOrder
from shared.effects import Stop
from shared.trading_state import TradingState


def fence(machine: Machine, a: int, b: int) -> None:
    """Let risk fence."""
    machine.risk.fence()
    machine.risk.say()


def resume(machine: Machine, a: int, b: int) -> None:
    """Let risk resume."""
    machine.risk.resume()
    machine.risk.say()


def new_epoch(machine: Machine, a: int, b: int) -> None:
    """Let risk take a new epoch."""
    machine.risk.epoch += 1
    machine.risk.say()


def restart_risk(machine: Machine, a: int, b: int) -> None:
    """Restart risk."""
    machine.risk.restart()
    machine.risk.grants = bool(a & 1)


def pause(machine: Machine, a: int, b: int) -> None:
    """Let risk order another state."""
    states: tuple[TradingState, ...] = ("PAUSED", "REDUCING", "ACTIVE")
    machine.risk.state = states[a % len(states)]
    machine.risk.lease_state = "REDUCING" if machine.risk.state == "REDUCING" else "ACTIVE"


def scope(machine: Machine, a: int, b: int) -> None:
    """Let risk hold a scope back, or none."""
    markets = machine.venue.trading()
    kinds: tuple[ScopeKind, ...] = ("account", "market", "token", "strategy")
    kind = kinds[a % len(kinds)]
    if not markets:
        return
    market = markets[b % len(markets)]
    names = {"account": "", "market": market.condition_id, "token": market.tokens[0]}
    scope = ScopeOrder(kind, names.get(kind, "market_making"), 1 + a // 8, "PAUSED", "walk")
    machine.risk.scopes = () if machine.risk.scopes else (scope,)


def hush(machine: Machine, a: int, b: int) -> None:
    """Let risk be silent, or speak again."""
    machine.risk.speaks = not machine.risk.speaks


def hold_line(machine: Machine, a: int, b: int) -> None:
    """Let the control line keep what is said, or not."""
    machine.risk.is_held = not machine.risk.is_held


def hear_risk(machine: Machine, a: int, b: int) -> None:
    """Let execution hear what is on the line."""
    machine.hear_risk()


def lose_pings(machine: Machine, a: int, b: int) -> None:
    """Lose what is on the line."""
    machine.risk.line.clear()


def panic(machine: Machine, a: int, b: int) -> None:
    """Write the PANIC file, or remove it."""
    machine.is_panic = not machine.is_panic
    machine.tell(PanicSeen(machine.is_panic))


def commit(machine: Machine, a: int, b: int) -> None:
    """Let the commit under way end."""
    machine.when_alive(lambda run: run.commit())


def turn_disk(machine: Machine, a: int, b: int) -> None:
    """Let commits hold by themselves, or by actions alone."""
    machine.commits_at_once = not machine.commits_at_once
    if machine.run is not None:
        machine.run.disk.is_prompt = machine.commits_at_once
        if machine.commits_at_once:
            machine.commit_all()


def fail_commits(machine: Machine, a: int, b: int) -> None:
    """Let the next commits fail."""
    if machine.run is not None:
        machine.run.disk.fails = 1 + a % 3


def kill(machine: Machine, a: int, b: int) -> None:
    """Kill execution."""
    machine.kill(committed=bool(a & 1))
    if a & 2:
        machine.start()


def start(machine: Machine, a: int, b: int) -> None:
    """Start execution."""
    machine.start()


def stop(machine: Machine, a: int, b: int) -> None:
    """Ask execution to end."""
    machine.tell(Stop("walk"))

"""Every action that may be taken on a machine: what it does, and how often a walk takes it.

An action means something in every state, if only nothing, so that any part of a list of actions
is a list of actions: that is what lets a failure shrink. Its two numbers choose among what there
is to choose from.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ops.simulation.machine import process_moves, trading_moves, wire_moves
from ops.simulation.machine.machine import Machine
from services.simulator.chance import Chance

NUMBER_MAX: Final = 65_535
"""Of either number of an action."""


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


MOVES: Final[dict[str, tuple[Move, int]]] = {
    "wait": (trading_moves.wait, 300),
    "linger": (trading_moves.linger, 25),
    "sleep": (trading_moves.sleep, 9),
    "doze": (trading_moves.doze, 16),
    "recover": (trading_moves.recover, 11),
    "calm": (trading_moves.calm, 6),
    "wish": (trading_moves.wish, 90),
    "unwish": (trading_moves.unwish, 8),
    "hit": (trading_moves.hit, 80),
    "crowd": (trading_moves.crowd, 40),
    "withdraw": (trading_moves.withdraw, 15),
    "trouble": (trading_moves.trouble, 20),
    "change_tick": (trading_moves.change_tick, 6),
    "stranger": (trading_moves.stranger, 3),
    "mode": (wire_moves.mode, 6),
    "drain": (wire_moves.drain, 5),
    "fail_next": (wire_moves.fail_next, 15),
    "garble_next": (wire_moves.garble_next, 8),
    "restart_venue": (wire_moves.restart_venue, 2),
    "flow": (wire_moves.flow, 40),
    "land": (wire_moves.land, 70),
    "answer": (wire_moves.answer, 50),
    "lose_request": (wire_moves.lose_request, 8),
    "lose_answer": (wire_moves.lose_answer, 10),
    "cut": (wire_moves.cut, 12),
    "cut_post": (wire_moves.cut_post, 10),
    "garble": (wire_moves.garble, 10),
    "stall": (wire_moves.stall, 6),
    "turn_network": (wire_moves.turn_network, 14),
    "hear": (wire_moves.hear, 50),
    "hear_all": (wire_moves.hear_all, 20),
    "hear_again": (wire_moves.hear_again, 25),
    "lose_event": (wire_moves.lose_event, 10),
    "disconnect": (wire_moves.disconnect, 3),
    "reconnect": (wire_moves.reconnect, 20),
    "turn_stream": (wire_moves.turn_stream, 14),
    "silence": (wire_moves.silence, 5),
    "gap": (wire_moves.gap, 5),
    "fence": (process_moves.fence, 2),
    "resume": (process_moves.resume, 14),
    "new_epoch": (process_moves.new_epoch, 2),
    "restart_risk": (process_moves.restart_risk, 1),
    "pause": (process_moves.pause, 4),
    "scope": (process_moves.scope, 4),
    "hush": (process_moves.hush, 2),
    "hold_line": (process_moves.hold_line, 6),
    "hear_risk": (process_moves.hear_risk, 20),
    "lose_pings": (process_moves.lose_pings, 4),
    "panic": (process_moves.panic, 1),
    "commit": (process_moves.commit, 180),
    "turn_disk": (process_moves.turn_disk, 10),
    "fail_commits": (process_moves.fail_commits, 4),
    "kill": (process_moves.kill, 5),
    "start": (process_moves.start, 20),
    "stop": (process_moves.stop, 1),
}
"""Each action with its weight in a walk."""

_TOTAL: Final = sum(weight for _, weight in MOVES.values())

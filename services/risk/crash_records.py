"""What is kept of a strategy's crash: who it was, its last input, what it had going, its log's end.

Gathered from what risk has heard of it anyway: the newest pong with its ages of inputs, the newest
status with the markets it was active in, the views of those markets, and its positions. A crash is
one that watch has written down; one that an earlier risk may have kept already is kept once,
because a record is named after its moment. The input that a Python error fell on stands in
the log, as the line `process.crashed` (`bus/actor.py`).
"""

from collections.abc import Iterator
from typing import Any

from services.risk.messages import ProgramsTold, SaveCrash
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.control import Pong
from shared.effects import ControlReceived, Effect, Message, Received
from shared.facts import Positions, StateView, StrategyStatus
from shared.identifiers import StrategyName
from shared.program_events import ProgramEvent
from shared.switches import STRATEGY_HANDOVER
from shared.topics import STRATEGIES
from shared.units import Instant


class CrashRecords:
    """What is known of each strategy, until it crashes."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._pongs: dict[str, Pong] = {}
        self._statuses: dict[str, StrategyStatus] = {}
        self._view = StateView(())
        self._positions: Positions | None = None
        self._effects: list[Effect] = []
        self._crashed: list[str] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what strategies say and see, and their ends."""
        match message:
            case ControlReceived(body=Pong() as pong) if pong.component in STRATEGIES:
                self._pongs[pong.component] = pong
            case Received(body=StrategyStatus() as status):
                self._statuses[status.strategy] = status
            case Received(body=StateView() as view):
                self._view = view
            case Received(body=Positions() as positions):
                self._positions = positions
            case ProgramsTold(events=events, is_past=is_past):
                for event in events:
                    if event.program in STRATEGIES and _is_crash(event):
                        facts = self._facts(event)
                        self._effects.append(SaveCrash(event.program, event.wall_ns, facts))
                        self._crashed += [] if is_past else [event.program]
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield the records that are to be kept."""
        effects, self._effects = self._effects, []
        yield from effects
        crashed, self._crashed = self._crashed, []
        for strategy in crashed:
            text = f"{strategy} has crashed; what is known of it is in the data directory's crashes"
            yield Notice("warning", f"{strategy} crashed", text, STRATEGY_HANDOVER.runbook)

    def _facts(self, event: ProgramEvent) -> dict[str, Any]:
        """Return everything but the log; what is unknown is None, never empty.

        As it was heard: turning it into text is the edge's work, so that no value can stop risk.
        """
        strategy = StrategyName(event.program)
        pong = self._pongs.get(strategy)
        # A later run of it may have spoken before its predecessor's end was read.
        run = pong if pong is not None and event.pid in (0, pong.pid) else None
        status = self._statuses.get(strategy)
        active = () if status is None else status.markets
        return {
            "strategy": strategy,
            "end": event,
            "run": run,
            "status": status,
            "inputs": [view for view in self._view.markets if view.market in active],
            "positions": None
            if self._positions is None
            else [each for each in self._positions.positions if each.strategy == strategy],
        }


def _is_crash(event: ProgramEvent) -> bool:
    """Tell whether a program ended neither because somebody wanted it to nor with status 0."""
    return event.kind in ("exited", "backoff") and not event.expected

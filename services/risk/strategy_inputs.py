"""Which figures each strategy uses: recovery looks at those, and holds nothing back for others."""

from collections.abc import Iterable
from typing import Final, Literal

from shared.identifiers import Component
from shared.topics import CARETAKER, MARKET_MAKING

StrategyInput = Literal["settlement price", "mark price", "open interest"]

INPUTS: Final[dict[Component, frozenset[StrategyInput]]] = {
    MARKET_MAKING: frozenset({"settlement price"}),
    CARETAKER: frozenset(),
}
"""A strategy that trades on what perpetual markets tell adds it here. The caretaker closes by books
alone."""


def used_by(strategies: Iterable[Component]) -> frozenset[StrategyInput]:
    """Return every figure that some strategies use; one that nobody describes uses all."""
    everything: frozenset[StrategyInput] = frozenset(
        ("settlement price", "mark price", "open interest")
    )
    return frozenset().union(*(INPUTS.get(name, everything) for name in strategies))

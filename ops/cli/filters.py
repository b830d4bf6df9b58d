"""Which rows of the ledger are meant: by market, strategy, state, and since when."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import click
import msgspec

from bus import clock
from shared.units import NS_PER_S

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_SPAN = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class OfMarket(Protocol):
    """A row of one strategy in one market."""

    @property
    def market(self) -> str:
        """Return the condition id."""
        ...

    @property
    def strategy(self) -> str:
        """Return whose it is."""
        ...


RowT = TypeVar("RowT", bound=OfMarket)


class Filter(msgspec.Struct, frozen=True):
    """What is asked for; empty means any.

    Attributes:
        market: Beginning of a condition id.
        strategy: Whole name.
        since_wall_ns: 0 for all.
    """

    market: str = ""
    strategy: str = ""
    since_wall_ns: int = 0

    @property
    def is_any(self) -> bool:
        """Tell whether every row of every time is meant."""
        return not (self.market or self.strategy)

    def of(self, rows: Iterable[RowT]) -> list[RowT]:
        """Return the rows that are meant."""
        return [
            row
            for row in rows
            if row.market.startswith(self.market) and self.strategy in ("", row.strategy)
        ]


def filter_options(command: Decorated) -> Decorated:
    """Add --market, --strategy and --since."""
    for option in (
        click.option(
            "--since", callback=_since, help="Only the last so much: 30s, 10m, 2h, 1d.", default=""
        ),
        click.option("--strategy", default="", help="Only of this strategy."),
        click.option("--market", default="", help="Only of this market: how its id begins."),
    ):
        command = option(command)
    return command


def _since(context: click.Context, option: click.Parameter, text: str) -> int:
    """Return wall nanoseconds since which rows are meant, 0 for all."""
    if not text:
        return 0
    found = _SPAN.fullmatch(text)
    if found is None:
        raise click.BadParameter("a number and s, m, h or d, like 10m")
    return clock.read().wall_ns - int(found[1]) * _SECONDS[found[2]] * NS_PER_S

"""The loss limits: capital into money, and when a row of closed markets trips them. Pure.

Execution and risk each count by themselves, from the ledger and from the venue's own-order
stream; only these rules are the same, so that the two cannot mean different things by them.
"""

from collections.abc import Iterable

import msgspec

from shared.config import LimitSettings
from shared.config.losses import LossSettings
from shared.config.ramp import STEPS_USD
from shared.identifiers import ConditionId
from shared.units import NS_PER_S, MoneyE6, WallNs

DAY_NS = 86_400 * NS_PER_S
"""A day of UTC, which is the session too."""

USD_E6 = 1_000_000
PERCENT = 100


class Bounds(msgspec.Struct, frozen=True):
    """The limits in money, all above zero, 1e-6 USD.

    Attributes:
        daily_e6: Realised loss of a UTC day at which nothing new is opened (CB-2).
        warn_e6: At which people are told.
        quote_e6: At which strategies quote no more by themselves.
        session_e6: Loss of a UTC day, open positions included, over which all is closed (CB-1).
        trade_e6: Loss of one closed market, over which all is closed.
        loss_e6: A closed market that lost more is a loss.
        in_row_max: Losses in a row at which all is closed.
    """

    daily_e6: int
    warn_e6: int
    quote_e6: int
    session_e6: int
    trade_e6: int
    loss_e6: int
    in_row_max: int


class Closed(msgspec.Struct, frozen=True):
    """A market that was paid out: what it made, below zero for a loss, and when."""

    market: ConditionId
    realised_e6: int
    wall_ns: WallNs


class Breach(msgspec.Struct, frozen=True):
    """A closed market that tripped a limit.

    Attributes:
        wall_ns: When it was closed; names the breach, since restarts see the same one.
        text: For people.
    """

    wall_ns: WallNs
    text: str


def bounds_of(losses: LossSettings, limits: LimitSettings, capital_usd: int | None) -> Bounds:
    """Return the limits for a capital.

    Args:
        losses: Shares of it.
        limits: The configured daily limit, which no capital raises.
        capital_usd: Step of the ramp; None while nobody has said, which counts as the highest:
            nothing is placed before risk has granted a lease, and with it told the step.
    """
    capital_e6 = (max(STEPS_USD) if capital_usd is None else capital_usd) * USD_E6
    daily_e6 = limits.daily_loss_usd_max * USD_E6
    daily_e6 = min(daily_e6, capital_e6 * losses.daily_percent_max // PERCENT)
    return Bounds(
        daily_e6=daily_e6,
        warn_e6=daily_e6 * losses.daily_warn_percent // PERCENT,
        quote_e6=daily_e6 * losses.daily_quote_percent // PERCENT,
        session_e6=capital_e6 * losses.session_percent_max // PERCENT,
        trade_e6=capital_e6 * losses.trade_percent_max // PERCENT,
        loss_e6=capital_e6 * losses.loss_percent // PERCENT,
        in_row_max=losses.in_row_max,
    )


def day_of(wall_ns: WallNs) -> int:
    """Return the number of a moment's UTC day."""
    return wall_ns // DAY_NS


def session_lost_e6(realised_e6: int, unrealised_e6: int | None) -> MoneyE6:
    """Return what a day has lost with its open positions; what those have won counts nothing.

    Where nobody knows what open positions are worth only what is realised counts.
    """
    return MoneyE6(-realised_e6 - min(0, unrealised_e6 or 0))


class Row:
    """Closed markets in the order of their closing: how many losses in a row, and breaches.

    Attributes:
        in_row: Losses since the newest market that was none, or since the newest breach.
        judged_ns: When the newest market judged was closed.
    """

    def __init__(self, in_row: int = 0, judged_ns: WallNs | None = None) -> None:
        """Begin where an earlier run was."""
        self.in_row = in_row
        self.judged_ns = judged_ns or WallNs(0)

    def judge(self, closed: Closed, bounds: Bounds) -> Breach | None:
        """Take one more closed market; return the limit that it has tripped, if any."""
        self.judged_ns = max(self.judged_ns, closed.wall_ns)
        lost_e6 = -closed.realised_e6
        self.in_row = self.in_row + 1 if lost_e6 > bounds.loss_e6 else 0
        if lost_e6 > bounds.trade_e6:
            self.in_row = 0
            limit = f"limit {_usd(bounds.trade_e6)} USD"
            text = f"market {closed.market} lost {_usd(lost_e6)} USD, {limit}"
            return Breach(closed.wall_ns, text)
        if self.in_row >= bounds.in_row_max:
            text = f"{self.in_row} losses in a row, each over {_usd(bounds.loss_e6)} USD"
            self.in_row = 0
            return Breach(closed.wall_ns, text)
        return None


def newest_breach(closings: Iterable[Closed], bounds: Bounds) -> tuple[Breach | None, int]:
    """Return the newest breach of a whole history, and the losses in a row at its end."""
    row = Row()
    newest: Breach | None = None
    for closed in sorted(closings, key=lambda one: (one.wall_ns, one.market)):
        newest = row.judge(closed, bounds) or newest
    return newest, row.in_row


def _usd(money_e6: int) -> str:
    """Return money for people."""
    return f"{money_e6 / USD_E6:.2f}"

"""What went wrong with an order, a trade or a payout, in words for people, and its alert.

Decides nothing: register and positions note troubles, the core publishes them.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shared.facts import Alert, PositionFact
from shared.identifiers import ConditionId, TokenId
from shared.ledger_schema import FillRecord, OrderRecord
from shared.switches import OPERATOR_FLATTEN
from shared.units import NS_PER_S, PriceE4

TroubleName = Literal[
    "order_contradicted",
    "trade_failed",
    "trade_contradicted",
    "trade_unsettled",
    "resolution_contradicted",
    "closing_held",
]

GRAVE: Final[frozenset[TroubleName]] = frozenset(
    {
        "order_contradicted",
        "trade_failed",
        "trade_contradicted",
        "resolution_contradicted",
        "closing_held",
    }
)
"""Money or shares are not what they were told to be; a late settlement is only a warning."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that people should know once."""

    name: TroubleName
    text: str

    @property
    def runbook(self) -> str:
        """Page in `ops/runbooks`."""
        return OPERATOR_FLATTEN.runbook if self.name == "closing_held" else "contradictions"

    def alert(self) -> Alert:
        """Return it as it is published."""
        severity: Literal["warning", "critical"] = "critical" if self.name in GRAVE else "warning"
        return Alert(severity, self.name, self.text, self.runbook)


def order_contradicted(record: OrderRecord, said: str) -> Trouble:
    """Return that the venue says of an order what cannot be, as we know it."""
    text = f"order {record.order_id} is {record.state} here, and then: {said}"
    return Trouble("order_contradicted", text)


def failed(fill: FillRecord) -> Trouble:
    """Return that the chain has failed a trade, whose shares are taken back."""
    return Trouble("trade_failed", f"{_words(fill)}: taken back")


def contradicted(known: FillRecord, report: str, settled: str) -> Trouble:
    """Return that the venue has said both ends of a trade, and which counts."""
    said = f"was {known.settlement}, then {report}; counts as {settled}"
    return Trouble("trade_contradicted", f"{_words(known)}: {said}")


def unsettled(fill: FillRecord, age_ns: int) -> Trouble:
    """Return that a trade does not come to an end."""
    said = f"{fill.settlement} for {age_ns // NS_PER_S} s"
    return Trouble("trade_unsettled", f"{_words(fill)}: {said}")


def resolution(
    market: ConditionId,
    paid: Mapping[TokenId, PriceE4],
    said: Mapping[TokenId, PriceE4],
    *,
    asked: bool,
) -> Trouble:
    """Return that a market was said to pay otherwise than before, and which counts."""
    counts = "counts from now on" if asked else "is not believed"
    text = f"{market}: paid {dict(paid)}, now {dict(said)}, which {counts}"
    return Trouble("resolution_contradicted", text)


def closing_held(fact: PositionFact, why: str) -> Trouble:
    """Return that a position is to be closed and is held all the same."""
    text = f"{fact.matched} of {fact.token} of {fact.strategy} is to be closed and is held: {why}"
    return Trouble("closing_held", text)


def _words(fill: FillRecord) -> str:
    return f"trade {fill.trade_id}, {fill.side} {fill.size_e6} of {fill.token}"

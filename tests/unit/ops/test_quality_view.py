"""`interlock status` says what is wrong with the data, and that nobody says so."""

from io import StringIO

import pytest
from rich.console import Console

from ops.cli.quality_view import render_quality
from ops.observe import Seen, View
from shared.effects import Received
from shared.facts import QualityFinding, StateQuality
from shared.identifiers import Incarnation
from shared.topics import STATE
from shared.units import NS_PER_S, MonotonicNs

JUMP = QualityFinding(
    stream="btc chainlink price",
    asset="btc",
    check="jump",
    verdict="refused",
    value="126",
    limit="20 %",
    second="pyth says 100",
    since_ns=MonotonicNs(2 * NS_PER_S),
    last_ns=MonotonicNs(4 * NS_PER_S),
    count=7,
    blocks=True,
)


def shown(*told: StateQuality) -> str:
    zero = MonotonicNs(5 * NS_PER_S)
    facts: dict[tuple[str, str], Seen] = {}
    for body in told:
        fact = Received(STATE, Incarnation(1), "state.quality", 1, zero, zero, 0, body)
        facts[("state.quality", STATE)] = Seen(fact)
    text = StringIO()
    view = View(facts, MonotonicNs(5 * NS_PER_S), 0)
    Console(file=text, width=250).print(render_quality(view))
    return text.getvalue()


@pytest.mark.req("INV-11")
def test_nothing_wrong_is_said_with_its_age() -> None:
    assert "data: nothing wrong; 2 streams, 0 values refused, 0 flagged" in shown(
        StateQuality(2, 0, 0, ())
    )


@pytest.mark.req("EX-22")
def test_silence_is_unknown_and_not_right() -> None:
    assert "unknown" in shown()


def test_finding_is_a_row_with_its_evidence() -> None:
    text = shown(StateQuality(2, 7, 0, (JUMP,)))
    assert "trading stops" in text
    for word in ("btc chainlink price", "jump", "refused", "126", "20 %", "pyth says 100", "7"):
        assert word in text

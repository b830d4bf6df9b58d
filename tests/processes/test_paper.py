"""Mode paper: a group trades on the books of one venue at its own mirror of them."""

from collections.abc import Iterator

import pytest

from ops.trading import reasons_not_trading
from ops.waiting import wait_for
from tests.processes.mirrored import PaperGroup

TRADES_WITHIN_S = 60.0
FILLS_WITHIN_S = 60.0
EMPTIES_WITHIN_S = 10.0


@pytest.fixture
def paper() -> Iterator[PaperGroup]:
    group = PaperGroup()
    try:
        yield group
    finally:
        group.close()


def wait_for_orders(paper: PaperGroup) -> None:
    reasons: tuple[str, ...] = ()

    def look() -> bool | None:
        nonlocal reasons
        reasons = reasons_not_trading(paper.view())
        return True if not reasons and paper.own.open_orders().open else None

    assert wait_for(look, TRADES_WITHIN_S), f"not trading: {reasons}\n{paper.log_tails()}"


def doubts(paper: PaperGroup) -> set[str]:
    """Return every reason for which the mirror has matched nothing."""
    return {record["why"] for record in paper.own.of_kind("mirror")}


@pytest.mark.req("EX-21")
def test_paper_trades_at_its_mirror_alone_and_stops_when_the_stream_stalls(
    paper: PaperGroup,
) -> None:
    ran = paper.up()
    assert ran.status == 0, repr(ran)
    wait_for_orders(paper)
    assert wait_for(lambda: paper.own.of_kind("fill") or None, FILLS_WITHIN_S), "no simulated fill"
    paper.venue.fault(kind="silence", stream="market")
    emptied = wait_for(lambda: None if paper.own.open_orders().open else True, EMPTIES_WITHIN_S)
    assert emptied, paper.log_tails()
    assert wait_for(lambda: "the stream is silent" in doubts(paper) or None, EMPTIES_WITHIN_S)
    paper.venue.clear_faults()
    wait_for_orders(paper)
    paper.venue.read()
    sent = [record for record in paper.venue.of_kind("post", "order", "cancel", "beat")]
    asked = {record["path"] for record in paper.venue.of_kind("request")}
    assert "/book" in asked, "second opinions are the real venue's"
    assert not sent, "the venue that stands for the real one has heard of no order"
    assert paper.command("down").status == 0

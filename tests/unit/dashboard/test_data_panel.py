"""What is wrong with the data stands on the page with its evidence and its age."""

import pytest

from shared.facts import QualityFinding
from shared.topics import STATE
from shared.units import NS_PER_MS, MonotonicNs
from tests.builders.dashboard import Dashboard


@pytest.fixture
def board(tmp_path: object) -> Dashboard:
    return Dashboard(tmp_path)


@pytest.mark.req("INV-11")
def test_finding_is_shown_with_what_the_second_source_says_and_since_when(
    board: Dashboard,
) -> None:
    board.run(1_000)
    calm = board.page.data
    assert calm is not None
    assert calm.doubts == ()
    now_ns = board.now.monotonic_ns
    board.findings = (
        QualityFinding(
            stream="btc chainlink price",
            asset="btc",
            check="jump",
            verdict="refused",
            value="126",
            limit="20 %",
            second="pyth says 100",
            since_ns=MonotonicNs(now_ns - 500 * NS_PER_MS),
            last_ns=now_ns,
            count=3,
            blocks=True,
        ),
    )
    board.run(1_000)
    page = board.page
    assert page.data is not None
    (doubt,) = page.data.doubts
    assert (doubt.check, doubt.second, doubt.count, doubt.blocks) == (
        "jump",
        "pyth says 100",
        3,
        True,
    )
    assert 500 < doubt.lasts_ms <= 1_500
    assert doubt.seen_ms == doubt.lasts_ms - 500


@pytest.mark.req("INV-11")
def test_word_of_a_state_that_is_silent_grows_old(board: Dashboard) -> None:
    board.run(1_000)
    board.silent.add(STATE)
    board.run(5_000)
    assert board.page.data is not None
    assert board.page.data.age_ms >= 4_000

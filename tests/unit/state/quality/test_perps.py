"""DQ-6 to DQ-8 of a perpetual market's context: what it tells, and who confirms it."""

from typing import Any

import pytest

from shared.facts import PerpContext
from shared.identifiers import Asset
from shared.units import CoinsE8, MoneyE6, RateE12, ReferenceE18
from tests.builders.feeds import at
from tests.builders.quality import E18, Inspected

S = 1_000
ALL = {"perp_mark price", "perp_oracle price", "perp open interest", "perp volume"}


def context(ms: float, *, source: str = "socket", **spoil: Any) -> PerpContext:
    fields: dict[str, Any] = {
        "asset": Asset("btc"),
        "mark_e18": ReferenceE18(100 * E18),
        "oracle_e18": ReferenceE18(100 * E18),
        "mid_e18": None,
        "open_interest_e8": CoinsE8(1_000 * 10**8),
        "funding_e12": RateE12(0),
        "premium_e12": None,
        "day_volume_e6": MoneyE6(10**12),
        "source": source,
        "received_ns": at(ms).monotonic_ns,
    }
    return PerpContext(**{**fields, **spoil})


def used(rig: Inspected, ms: float, **spoil: Any) -> set[str]:
    """Tell a context; return which values of it may be used."""
    readings = rig.inspector.perp(context(ms, **spoil), at(ms))
    return {f"{one.stream.source} {one.stream.kind}" for one in readings}


def calm() -> Inspected:
    rig = Inspected()
    for second in range(5):
        assert used(rig, second * S) == ALL
    assert rig.findings(5 * S) == ()
    return rig


@pytest.mark.req("DQ-6")
def test_mark_that_leaves_its_oracle_is_refused() -> None:
    rig = calm()
    assert used(rig, 5 * S, mark_e18=ReferenceE18(126 * E18)) == ALL - {"perp_mark price"}
    (found,) = rig.findings(5 * S)
    assert (found.check, found.verdict) == ("jump", "refused")
    assert not found.blocks, "no strategy uses it"


@pytest.mark.req("DQ-6")
def test_mark_that_moves_with_its_oracle_waits_for_the_oracle_to_be_confirmed() -> None:
    rig = calm()
    both = {"mark_e18": ReferenceE18(126 * E18), "oracle_e18": ReferenceE18(126 * E18)}
    assert used(rig, 5 * S, **both) == ALL - {"perp_oracle price"}, "nobody confirms the oracle"
    rig.both(126, 6 * S)
    assert used(rig, 6 * S, **both) == ALL


@pytest.mark.req("DQ-7")
def test_open_interest_that_halves_is_used_only_when_a_read_tells_it_too() -> None:
    rig = calm()
    fell = CoinsE8(400 * 10**8)
    assert used(rig, 5 * S, open_interest_e8=fell) == ALL - {"perp open interest"}
    (found,) = rig.findings(5 * S)
    assert (found.check, found.verdict) == ("interest", "unknown")
    assert used(rig, 6 * S, source="rest") == set(), "a read is a second source and no more"
    assert used(rig, 6 * S, open_interest_e8=fell) == ALL - {"perp open interest"}
    (found,) = rig.findings(6 * S)
    assert found.verdict == "refused"
    used(rig, 7 * S, source="rest", open_interest_e8=fell)
    assert used(rig, 7 * S, open_interest_e8=fell) == ALL


@pytest.mark.req("DQ-7")
def test_negative_open_interest_is_refused_by_state_too() -> None:
    rig = calm()
    assert "perp open interest" not in used(rig, 5 * S, open_interest_e8=CoinsE8(-1))
    (found,) = rig.findings(5 * S)
    assert (found.check, found.verdict) == ("negative", "refused")


@pytest.mark.req("DQ-8")
def test_volume_of_ten_times_the_highest_is_flagged_when_a_read_confirms_it() -> None:
    rig = calm()
    much = MoneyE6(11 * 10**12)
    used(rig, 5 * S, source="rest", day_volume_e6=much)
    assert used(rig, 5 * S, day_volume_e6=much) == ALL
    (found,) = rig.findings(5 * S)
    assert (found.check, found.verdict) == ("volume", "suspect")


@pytest.mark.req("DQ-1")
def test_silent_perpetual_market_is_told_and_stops_no_asset() -> None:
    rig = calm()
    assert "stale" not in {one.check for one in rig.findings(18_999)}
    assert "stale" in {one.check for one in rig.findings(19_000)}
    assert not rig.blocks(19_000)


@pytest.mark.req("DQ-7")
@pytest.mark.parametrize(("late_s", "is_used"), [(14.9, True), (15, False)])
def test_read_confirms_until_it_is_old(late_s: float, is_used: bool) -> None:
    rig = calm()
    fell = CoinsE8(400 * 10**8)
    used(rig, 5 * S, source="rest", open_interest_e8=fell)
    told = used(rig, (5 + late_s) * S, open_interest_e8=fell)
    assert ("perp open interest" in told) is is_used

"""Where the venue lets people trade: its own word, its lists, and an agreement."""

import pytest

from shared.venue.gamma_wire import Geoblock
from shared.venue.places import judge_place


@pytest.mark.req("KS-5")
@pytest.mark.parametrize(
    ("country", "region", "blocked", "verdict"),
    [
        ("CH", "ZH", False, "open"),
        ("CH", "ZH", True, "blocked"),
        ("US", "NY", True, "close_only"),
        ("us", "ny", False, "close_only"),
        ("IR", "", False, "blocked"),
        ("UA", "43", False, "blocked"),
        ("UA", "30", False, "open"),
        ("CA", "ON", False, "close_only"),
        ("CA", "NS", False, "open"),
        ("JP", "13", False, "open"),
        ("", "", False, "open"),
        ("", "", True, "blocked"),
    ],
)
def test_place_is_judged_by_the_answer_and_by_the_lists(
    country: str, region: str, blocked: bool, verdict: str
) -> None:
    assert judge_place(Geoblock(blocked, "192.0.2.1", country, region)) == verdict


@pytest.mark.req("KS-5")
def test_agreement_overrules_the_list_and_never_the_answer() -> None:
    agreed = frozenset({"GB"})
    assert judge_place(Geoblock(False, "", "GB", "LND"), agreed) == "open"
    assert judge_place(Geoblock(True, "", "GB", "LND"), agreed) == "blocked"

import pytest

from services.simulator.edge import Request
from services.simulator.windows import BURST_NS, LIMITS, Limit, Windows
from shared.units import NS_PER_MS
from shared.venue.rate_tiers import TIERS
from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig


def request(method: str, path: str) -> Request:
    return Request(1, method, path, {}, {}, b"")


@pytest.mark.req("TST-9")
def test_request_over_a_window_waits_until_the_oldest_has_left() -> None:
    windows = Windows((Limit("GET", ("/book",), 2),))
    book = request("GET", "/book")
    assert [windows.wait_ns(book, at) for at in (0, NS_PER_MS)] == [0, 0]
    assert windows.wait_ns(book, 2 * NS_PER_MS) == BURST_NS - 2 * NS_PER_MS
    assert windows.wait_ns(book, 3 * NS_PER_MS) == BURST_NS - 2 * NS_PER_MS
    assert windows.wait_ns(request("GET", "/books"), 3 * NS_PER_MS) == 0
    # The two that waited count from when they were taken in.
    assert windows.wait_ns(book, BURST_NS + 4 * NS_PER_MS) == BURST_NS - 4 * NS_PER_MS


def test_limits_of_several_paths_count_together() -> None:
    windows = Windows((Limit("", ("/data/*", "/notifications"), 2),))
    assert windows.wait_ns(request("GET", "/data/orders"), 0) == 0
    assert windows.wait_ns(request("GET", "/notifications"), 0) == 0
    assert windows.wait_ns(request("GET", "/data/order/0x1"), 0) == BURST_NS


def test_every_limit_of_the_documentation_is_met_by_some_request() -> None:
    for limit in LIMITS:
        paths = limit.paths or ("/anything",)
        for path in paths:
            asked = request(limit.method or "GET", path.replace("*", "/x" if "/" in path else "x"))
            windows = Windows((limit,))
            for _ in range(limit.requests):
                assert windows.wait_ns(asked, 0) == 0
            assert windows.wait_ns(asked, 0) == limit.span_ns


def test_venue_lets_what_is_over_a_window_wait() -> None:
    rig = VenueRig()
    for _ in range(100):
        assert rig.ask("GET", "/ok", headers={}) == (200, "OK")
    number = rig.send("GET", "/ok", headers={})
    assert number not in rig.answers
    rig.advance(10)
    assert rig.answers[number].status == 200


@pytest.mark.req("TST-9")
@pytest.mark.parametrize("name", TIERS)
def test_tier_sets_rates_and_headers(name: str) -> None:
    rig = VenueRig(rate_tier=name)
    tier = TIERS[name]
    answer = rig.answers[rig.send("POST", "/order", encode(rig.client.order(rig.market)))]
    assert answer.headers["Poly-RateLimit-Tier"] == tier.name
    assert answer.headers["Poly-RateLimit-Remaining"] == str(tier.order_burst - 1)
    assert answer.headers["Poly-RateLimit-Reset"] == "1"
    answer = rig.answers[rig.send("DELETE", "/cancel-all")]
    assert answer.headers["Poly-RateLimit-Remaining"] == str(tier.cancel_burst - 2)
    assert "Poly-RateLimit-Tier" not in rig.answers[rig.send("GET", "/data/orders")].headers


def test_batch_over_the_rate_is_refused_whole() -> None:
    rig = VenueRig()
    batch = encode([rig.client.order(rig.market) for _ in range(15)])
    statuses = [rig.ask("POST", "/orders", batch)[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    answer = rig.answers[rig.send("POST", "/orders", batch)]
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.req("TST-9")
def test_warning_mode_refuses_nothing_and_says_so() -> None:
    rig = VenueRig(rate_warning=True)
    answers = [
        rig.answers[rig.send("POST", "/order", encode(rig.client.order(rig.market)))]
        for _ in range(61)
    ]
    assert {answer.status for answer in answers} == {200}
    warned = ["Poly-RateLimit-Warning" in answer.headers for answer in answers]
    assert warned == [False] * 60 + [True]

"""Our part in the venue's limits of one address."""

import pytest

from services.execution.budgets.address_windows import LIMITS, SHARE_PARTS, AddressWindows
from services.simulator.windows import LIMITS as VENUE_LIMITS
from shared.units import NS_PER_S, BootNs

NOW = BootNs(1_000 * NS_PER_S)


@pytest.mark.req("EX-13")
def test_room_ends_at_our_share_and_comes_back_with_time() -> None:
    windows = AddressWindows()
    sent = 0
    while windows.has_room("GET", "/data/orders", NOW):
        windows.count("GET", "/data/orders?next_cursor=MA==", NOW)
        sent += 1
    assert sent == 500 // SHARE_PARTS
    assert windows.has_room("GET", "/data/trades", NOW)
    assert not windows.has_room("GET", "/data/orders", BootNs(NOW + 10 * NS_PER_S))
    assert windows.has_room("GET", "/data/orders", BootNs(NOW + 11 * NS_PER_S))


@pytest.mark.req("EX-13")
def test_every_read_of_the_ledger_counts_for_their_common_limit() -> None:
    windows = AddressWindows()
    for number in range(900 // SHARE_PARTS):
        assert windows.has_room("GET", f"/data/order/0x{number}", NOW)
        windows.count("GET", f"/data/order/0x{number}", NOW)
    assert not windows.has_room("GET", "/data/order/0x", NOW)
    assert not windows.has_room("GET", "/data/trades", NOW)


def test_limits_are_those_that_the_simulated_venue_has() -> None:
    known = {
        (limit.method, path, limit.requests, limit.span_ns)
        for limit in VENUE_LIMITS
        for path in limit.paths
    }
    for limit in LIMITS[1:]:
        path = limit.path if limit.is_exact else f"{limit.path}*"
        method = "" if limit.method == "GET" else limit.method
        assert (method, path, limit.requests, limit.span_ns) in known

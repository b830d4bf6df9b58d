import pytest

from shared.identifiers import Asset
from shared.venue import slugs
from shared.venue.faults import Unparseable


@pytest.mark.parametrize(
    ("slug", "interval_s"),
    [
        ("btc-updown-5m-1784850900", 300),
        ("btc-updown-15m-1791241200", 900),
        ("btc-updown-4h-1791244800", 14_400),
        ("btc-updown-30s-1791241200", 30),
    ],
)
def test_recorded_slugs_and_simulated_ones_name_their_window(slug: str, interval_s: int) -> None:
    window = slugs.parse_window_slug(slug)
    assert (window.asset, window.interval_s) == (Asset("btc"), interval_s)
    assert slugs.window_slug(window) == slug


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "btc-updown-5m",
        "btc-updown-5m-1784850901",
        "btc-updown-7m-1784850900",
        "btc-updown-300s-1784850900",
        "btc-updown-0s-0",
        "btc-updown-5m-1784850900-x",
        "BTC-updown-5m-1784850900",
        "will-it-rain",
        "bitcoin-up-or-down-july-24-3am-et",
    ],
)
def test_other_slugs_name_no_window(slug: str) -> None:
    with pytest.raises(Unparseable):
        slugs.parse_window_slug(slug)

"""VEN-5: sockets that differ rest the asset, a switch is told, and neither is a silence."""

import pytest

from services.risk.price_sockets import PriceSocketsSource
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.effects import Received
from shared.facts import FeedStatus, PriceCarrier, PriceSocket
from shared.identifiers import Asset, Component, Incarnation
from shared.topics import FEED_MARKET, FEED_PRICE
from shared.units import MonotonicNs
from tests.builders.risk import instant


def carrier(
    socket: PriceSocket = "current", why: str = "", doubt: str = "", *, refused: bool = False
) -> PriceCarrier:
    return PriceCarrier(Asset("btc"), socket, MonotonicNs(0), why, refused, doubt, None)


def heard(
    source: PriceSocketsSource, row: PriceCarrier, component: Component = FEED_PRICE
) -> tuple[list[Sample], list[Notice]]:
    """Tell a status; return the samples and the alerts that follow."""
    stamp = instant(0).monotonic_ns
    status = FeedStatus(component, True, MonotonicNs(0), "", 1, (), carriers=(row,))
    fact = Received(component, Incarnation(1), "feed.status", 1, stamp, stamp, 0, status)
    source.hear(fact, instant(0))
    found = list(source.data(instant(0)))
    samples = [one for one in found if isinstance(one, Sample)]
    return samples, [one for one in found if isinstance(one, Notice)]


@pytest.mark.req("VEN-5")
def test_sockets_that_differ_rest_the_asset_until_they_agree() -> None:
    source = PriceSocketsSource()
    ((good,), _) = heard(source, carrier())
    assert not good.bad
    ((bad,), _) = heard(source, carrier(doubt="current 1.00, legacy 2.00"))
    assert bad.bad
    assert (bad.switch.name, bad.key) == ("abnormal_market", ("asset", "btc"))
    assert "current 1.00, legacy 2.00" in bad.why
    ((over,), _) = heard(source, carrier())
    assert not over.bad


@pytest.mark.req("VEN-5")
def test_switch_of_the_socket_is_told_once_each_way_and_stops_nothing() -> None:
    source = PriceSocketsSource()
    fallen = carrier("legacy", "current socket: closed 1006")
    samples, told = heard(source, fallen)
    assert not samples[0].bad
    assert [(one.severity, one.name) for one in told] == [("warning", "price_socket btc")]
    assert heard(source, fallen)[1] == []
    assert [one.name for one in heard(source, carrier())[1]] == ["price_socket_back btc"]
    assert heard(source, carrier())[1] == []


@pytest.mark.req("VEN-5")
def test_refused_credentials_are_critical() -> None:
    source = PriceSocketsSource()
    _, told = heard(source, carrier("legacy", "current socket: refused", refused=True))
    assert ("critical", "price_credentials") in [(one.severity, one.name) for one in told]


def test_nobody_but_the_price_feed_is_believed() -> None:
    assert heard(PriceSocketsSource(), carrier(doubt="x"), FEED_MARKET) == ([], [])

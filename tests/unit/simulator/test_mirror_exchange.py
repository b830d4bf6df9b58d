import pytest

from services.simulator.core import SimulatorCore
from services.simulator.exchange import Exchange
from services.simulator.markets import Calendar
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.exchange import RETAINED_MAX, MirrorCalendar, MirrorExchange
from services.simulator.mirror.shell import MirrorShell
from services.simulator.shell import Shell
from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, WallMs
from tests.builders.mirror import CLIENT, MirrorRig

OWN = {
    MirrorCalendar: {"take_in", "end", "_forget"},
    MirrorExchange: {"doubt", "doubt_of", "resting", "fill", "traded", "set_tick"},
    MirrorCore: {"_hear", "_on_answer", "_on_failed", "_take_notes", "_tell_state"},
    MirrorShell: set[str](),
}


@pytest.mark.parametrize(
    ("mirror", "base"),
    [
        (MirrorCalendar, Calendar),
        (MirrorExchange, Exchange),
        (MirrorCore, SimulatorCore),
        (MirrorShell, Shell),
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_is_overridden_is_still_there(mirror: type, base: type) -> None:
    """A method renamed in the base would silently no longer be replaced."""
    methods = {name for name, value in vars(mirror).items() if callable(value)}
    assert methods - OWN[mirror] <= set(dir(base))


def test_price_step_is_the_venues_alone() -> None:
    rig = MirrorRig()
    rig.show({97: 10}, {98: 10})
    assert rig.exchange.change_tick(rig.market) is None
    rig.exchange.set_tick(rig.market, PriceE4(10))
    change = rig.exchange.change_tick(rig.market)
    assert change is not None
    assert (change.old, change.new) == (100, 10)
    assert rig.exchange.change_tick(rig.market) is None


def test_closing_ends_orders_and_resolution_pays_the_winner() -> None:
    rig = MirrorRig()
    rig.show({49: 10}, {50: 10})
    taken, resting = rig.place("BUY", 50, 10), rig.place("BUY", 40, 10)
    account = rig.exchange.accounts.get(CLIENT)
    before = account.collateral
    rig.exchange.trades.advance(rig.now.monotonic_ns, WallMs(rig.now_ms))
    rig.market.winner = 0
    calendar = rig.exchange.calendar
    assert isinstance(calendar, MirrorCalendar)
    rig.exchange.on_close = lambda market: rig.book.distrust("market is closed")
    calendar.end(rig.market)
    rig.exchange.advance(rig.now)
    assert rig.market.state == "RESOLVED"
    assert resting.status.startswith("CANCELED")
    assert account.tokens == {}
    assert account.collateral == before + 10**12 + taken.filled


def test_oldest_ended_markets_are_forgotten() -> None:
    rig = MirrorRig()
    calendar = rig.exchange.calendar
    assert isinstance(calendar, MirrorCalendar)
    for number in range(RETAINED_MAX + 1):
        market = MirrorRig().market
        market.slug = f"btc-updown-5m-{number + 1}"
        market.condition_id = ConditionId(f"0x{number + 1}")
        market.tokens = (TokenId(f"{number + 1}1"), TokenId(f"{number + 1}2"))
        calendar.take_in(market)
    rig.exchange.on_close = lambda market: None
    rig.exchange.advance(rig.now)
    rig.now_ms = 400_000
    rig.exchange.advance(rig.now)
    assert len(calendar.by_slug) == RETAINED_MAX
    assert rig.market.slug not in calendar.by_slug
    assert rig.exchange.doubt_of(rig.market) == "not followed"

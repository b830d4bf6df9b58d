"""Whatever is displayed, traded and placed: our fills are never better than the real book."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.matching import Order, TimeInForce
from tests.builders.mirror import SHARE, MirrorRig, filled

CENTS = st.integers(47, 53)
MIDDLES = st.integers(49, 51)
SHARES = st.integers(1, 20)
LADDERS = st.dictionaries(st.integers(1, 3), SHARES, min_size=1, max_size=3)
SHOW = st.tuples(st.just("show"), MIDDLES, LADDERS, LADDERS)
PLACE = st.tuples(
    st.just("place"), st.sampled_from(["BUY", "SELL"]), CENTS, SHARES, st.integers(0, 1)
)
TRADE = st.tuples(st.just("trade"), CENTS, SHARES, st.booleans())
PAUSE = st.tuples(st.just("pause"), st.integers(1, 600))
DOUBT = st.tuples(st.just("doubt"))
STEPS = st.lists(st.one_of(SHOW, PLACE, TRADE, PAUSE, DOUBT), max_size=40)


class Supply:
    """Counts, by side and price, all that the real book ever offered anew."""

    def __init__(self) -> None:
        self.sizes: dict[tuple[bool, int], int] = {}
        self.offered: dict[tuple[bool, int], int] = {}

    def show(self, sizes: dict[tuple[bool, int], int]) -> None:
        for key, size in sizes.items():
            grown = max(0, size - self.sizes.get(key, 0))
            self.offered[key] = self.offered.get(key, 0) + grown
        self.sizes = sizes


@given(STEPS)
def test_fills_are_backed_by_the_book_or_by_trades(steps: list[tuple[object, ...]]) -> None:
    rig = MirrorRig()
    supply = Supply()
    orders: list[Order] = []
    traded = {True: 0, False: 0}
    for step in steps:
        match step:
            case ("show", int(middle), dict(bids), dict(asks)):
                down = {middle - away: size for away, size in bids.items()}
                up = {middle + away: size for away, size in asks.items()}
                shown = {(True, price): size for price, size in down.items()}
                supply.show(shown | {(False, price): size for price, size in up.items()})
                rig.show(down, up)
            case ("place", ("BUY" | "SELL") as side, int(cents), int(shares), int(outcome)):
                kind: TimeInForce = "FAK" if cents % 2 else "GTC"
                order, _ = rig.attempt(side, cents, shares, outcome=outcome, kind=kind)
                orders.append(order)
            case ("trade", int(cents), int(shares), bool(hits_bids)):
                rig.trade(cents, shares, hits_bids=hits_bids)
                traded[hits_bids] += shares
            case ("pause", int(ms)):
                rig.later(ms)
            case _:
                rig.book.distrust("tried")
    judge(rig, orders, supply, traded)


@given(SHARES, SHARES, st.lists(st.tuples(SHARES, st.booleans()), max_size=12))
def test_queue_is_served_in_order_and_to_the_last_share(
    displayed: int, size: int, trades: list[tuple[int, bool]]
) -> None:
    """An order gets what trades at its price leave of the display when it came, no more or less."""
    rig = MirrorRig()
    rig.show({49: displayed}, {51: 1})
    order = rig.place("BUY", 49, size)
    rig.later()
    volume = 0
    for shares, vanishes in trades:
        rig.trade(49, shares, hits_bids=True)
        volume += shares
        if vanishes:
            rig.show({}, {51: 1})
    assert filled(order) == min(size, max(0, volume - displayed))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=20))
def test_no_share_is_taken_twice(steps: list[tuple[bool, int]]) -> None:
    """Of one level all takers together get no more than was ever added to it."""
    rig = MirrorRig()
    supply = Supply()
    taken = 0
    for takes, shares in steps:
        if takes and shares:
            taken += filled(rig.attempt("BUY", 50, shares, kind="FAK")[0])
        else:
            sizes = {50: shares} if shares else {}
            supply.show({(False, cents): size for cents, size in sizes.items()})
            rig.show({49: 1}, sizes)
    assert taken <= supply.offered.get((False, 50), 0)


def judge(rig: MirrorRig, orders: list[Order], supply: Supply, traded: dict[bool, int]) -> None:
    """Assert that no fill is better than its limit, and that all sizes were really there."""
    ours = {order.order_id: order for order in orders}
    taken: dict[tuple[bool, int], int] = {}
    given = {True: 0, False: 0}
    for trade in rig.trades():
        taker = ours.get(trade.taker_order_id)
        if taker is None:
            # As a maker we are paid, or pay, exactly our own price.
            assert all(part.price == ours[part.order_id].price for part in trade.makers)
            given[ours[trade.makers[0].order_id].is_bid] += trade.size // SHARE
            continue
        worse = trade.price <= taker.price if taker.side == "BUY" else trade.price >= taker.price
        assert worse
        price = trade.price if taker.outcome == 0 else 10_000 - trade.price
        for part in trade.makers:
            if part.order_id not in ours:
                key = (not taker.is_bid, price // 100)
                taken[key] = taken.get(key, 0) + part.size // SHARE
    for key, size in taken.items():
        assert size <= supply.offered.get(key, 0)
    for bids in (True, False):
        # What our bids got came from offers that they crossed, or from takers that sold.
        offered = sum(size for (bid, _), size in supply.offered.items() if bid != bids)
        lifted = sum(size for (bid, _), size in taken.items() if bid != bids)
        assert lifted + given[bids] <= offered + traded[bids]
    assert all(filled(order) * SHARE <= order.size for order in orders)
    book = rig.market.book
    bid, ask = book.bids.best(), book.asks.best()
    assert bid is None or ask is None or bid < ask

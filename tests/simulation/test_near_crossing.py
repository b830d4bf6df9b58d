"""Ten minutes of quotes as near to crossing as they get: none takes, few are refused, none churn.

A strategy wishes what stands one tick inside the other side of the book, and beside it what would
cross by one tick, of both outcomes, always anew, while the book moves and takers trade.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ops.simulation import faults
from ops.simulation.assembly import make_body
from ops.simulation.body import Body
from ops.simulation.components import BUILDERS
from ops.simulation.process import Process
from ops.simulation.run import draw_config
from ops.simulation.whole import Whole
from ops.simulation.world import World
from services.simulator.chance import stream
from services.simulator.stamps import RECORDS_MAX
from services.strategy.core import StrategyCore
from services.strategy.interface import MarketContext, Wish
from shared.config import Config, LimitSettings, LossSettings, ThrottleSettings
from shared.config.losses import PERCENT_FREE
from shared.facts import BookView
from shared.identifiers import StrategyName, TokenId
from shared.targets import Target
from shared.topics import MARKET_MAKING
from shared.units import NS_PER_S, PRICE_ONE_E4, PriceE4, SizeE6

SECONDS = int(os.environ.get("INTERLOCK_NEAR_S", "60"))
"""Ten simulated minutes are what is promised (`make endurance`); a change waits for two."""

SEED = 20_261_121
SIZE = SizeE6(5_000_000)
SLOTS = 4
"""Two levels of each outcome: at most one order each."""

REFUSALS_A_MINUTE_MAX = 20
"""The book moves while a post is on its way; an intent that was refused waits for a quarter of a
second and then twice as long each time, so that eight in a row take a minute."""

RENEWALS_A_MINUTE = 1
"""An order is renewed before its two minutes are over."""


class NearCrossing:
    """Bids of both outcomes as high as a maker's may be, and a tick higher than they may be.

    Attributes:
        moves: How often a bid was wished at another price than before, the first time included.
    """

    name = StrategyName("market_making")

    def __init__(self) -> None:
        self.moves = 0
        self._former: dict[tuple[TokenId, int], PriceE4] = {}

    def wish(self, context: MarketContext) -> Wish:
        assert context.view.books is not None
        tick = context.view.tick_e4
        targets: list[Target] = []
        for token, book in zip(context.info.tokens, context.view.books, strict=True):
            targets += _bids(token, book, tick)
        for target in targets:
            slot = target.token, target.level
            self.moves += self._former.get(slot) != target.price
            self._former[slot] = target.price
        return Wish(tuple(targets), "as near as it gets")

    def forget(self) -> None:
        """Has nothing to forget."""


def _bids(token: TokenId, book: BookView, tick: PriceE4) -> Iterator[Target]:
    ask = book.asks[0][0] if book.asks else PriceE4(PRICE_ONE_E4 - tick)
    for level, price in enumerate((ask - tick, ask + tick)):
        if tick <= price <= PRICE_ONE_E4 - tick:
            yield Target(token, "BUY", level, PriceE4(price), SIZE)


def lively() -> Config:
    """Return few frames and many takers: what matters here is who trades with whom."""
    config = draw_config(stream(SEED, "config"))
    simulator = msgspec.structs.replace(
        config.simulator, frames_per_second=4, takers_per_second=3.0
    )
    limits = LimitSettings(
        shares_per_outcome_max=5_000,
        unpaired_shares_global_max=5_000,
        exposure_usd_max=100_000,
        daily_loss_usd_max=100_000,
    )
    throttle = ThrottleSettings(orders_max=100_000, fills_max=100_000)
    losses = LossSettings(
        daily_percent_max=PERCENT_FREE,
        trade_percent_max=PERCENT_FREE,
        session_percent_max=PERCENT_FREE,
        loss_percent=PERCENT_FREE,
    )
    return msgspec.structs.replace(
        config, simulator=simulator, limits=limits, throttle=throttle, losses=losses
    )


class Ran(msgspec.Struct, frozen=True):
    """What the venue's log says of the whole run, and how often the wish has moved."""

    records: tuple[dict[str, Any], ...]
    moves: int

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["kind"] == kind]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    strategy = NearCrossing()

    def build(world: World, process: Process) -> Body:
        takeover_ms = world.config.strategy.caretaker.takeover_ms
        return make_body(StrategyCore(strategy, world.config.timing, takeover_ms))

    directory = tmp_path_factory.mktemp("near")
    builders = {**BUILDERS, MARKET_MAKING: build}
    whole = Whole(SEED, lively(), faults.no_faults(), directory, builders)
    try:
        whole.start()
        whole.run_for(SECONDS)
        assert not whole.findings.violations
        lines, _ = whole.world.venue.core.stamps.since(0, RECORDS_MAX)
        return Ran(tuple(msgspec.json.decode(lines)), strategy.moves)
    finally:
        whole.close()


@pytest.mark.req("TST-6", "INV-12")
def test_quote_beside_the_other_side_never_takes(ran: Ran) -> None:
    fills = Counter(record["role"] for record in ran.of_kind("fill"))
    assert fills["MAKER"] > SECONDS / 10, "takers meet the quotes"
    assert fills["TAKER"] == 0
    assert all(post["post_only"] for post in ran.of_kind("post"))


@pytest.mark.req("TST-6", "EX-12")
def test_refusals_of_quotes_that_would_cross_are_few(ran: Ran) -> None:
    refusals = len(ran.of_kind("refusal"))
    assert refusals <= REFUSALS_A_MINUTE_MAX * SECONDS / 60, refusals


@pytest.mark.req("TST-6", "EX-12")
def test_quote_that_nothing_has_moved_is_not_placed_again(ran: Ran) -> None:
    """Every order but the renewed has a reason: the wish moved, one was filled or refused."""
    reasons = ran.moves + len(ran.of_kind("fill")) + len(ran.of_kind("refusal"))
    renewals = SLOTS * RENEWALS_A_MINUTE * SECONDS / 60
    posts = ran.of_kind("post")
    assert posts
    assert len(posts) <= reasons + renewals, (ran.moves, reasons)


@pytest.mark.req("TST-6", "EX-14")
def test_orders_of_every_second_stay_within_the_rate(ran: Ran) -> None:
    """A bucket of one second's worth: what was saved in the second before may come beside it."""
    seconds = Counter(post["at_ns"] // NS_PER_S for post in ran.of_kind("post"))
    assert max(seconds.values()) <= 2 * LimitSettings().orders_per_second_max

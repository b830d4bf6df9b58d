"""The market feed's word on itself: each token follows the connection that carries it."""

import pytest

from shared.facts import Evidence, FeedShard, FeedStatus
from shared.topics import FEED_MARKET
from tests.builders.feeds import at, facts
from tests.builders.markets import DOWN, UP
from tests.builders.state_rig import ready


def shards(now_ms: float, *sessions: int, lost: int | None = None) -> FeedStatus:
    """Return a status with a token on each of two connections."""
    now = at(now_ms)
    told = tuple(
        FeedShard(number, number != lost, session, now.monotonic_ns, "", 1)
        for number, session in enumerate(sessions)
    )
    evidence = tuple(
        Evidence(token, None if number == lost else now.monotonic_ns, number)
        for number, token in enumerate((UP, DOWN))
    )
    return FeedStatus(FEED_MARKET, True, now.monotonic_ns, "", sum(sessions), evidence, shards=told)


@pytest.mark.req("NET-1")
@pytest.mark.req("KS-4")
def test_loss_of_one_connection_concerns_its_tokens_alone() -> None:
    rig = ready()
    rig.hear("feed.status", shards(0, 1, 1), at(0))
    rig.hear("feed.status", shards(10, 1, 1, lost=1), at(10))
    assert rig.view(at(10)).reason.startswith("Down: market feed not connected: connection 1")
    effects = rig.core.on_tick(at(600))
    assert facts(effects, "state.doubted") == [], "nobody is there to be asked"
    rig.hear("feed.status", shards(20, 1, 2), at(20))
    assert rig.view(at(20)).reason == "Down: new session of the market feed"
    rig.hear("feed.market", rig.down.snapshot(), at(30))
    assert rig.view(at(30)).valid, "the other book was never in doubt"

from services.feed.perp_idle import IdlePerpFeed
from shared.effects import Exit, Publish, Stop
from shared.facts import FeedStatus
from tests.builders.markets import instant


def test_feed_that_nobody_wants_says_so_and_connects_to_nothing() -> None:
    feed = IdlePerpFeed()
    effects = [effect for ms in range(0, 400, 50) for effect in feed.on_tick(instant(ms))]
    assert effects
    for effect in effects:
        assert isinstance(effect, Publish)
        status = effect.body
        assert isinstance(status, FeedStatus)
        assert (status.wanted, status.connected, status.cause) == (False, False, "not wanted")
    assert feed.health() == ("ready", "not wanted")


def test_feed_that_nobody_wants_ends_when_told() -> None:
    assert IdlePerpFeed().on_message(Stop("SIGTERM"), instant(0)) == [Exit(0, "SIGTERM")]

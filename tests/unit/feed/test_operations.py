"""Subscriptions after the first: together, in order, at a bounded rate."""

import pytest

from services.feed.operations import OPERATE_EVERY_NS, Operations
from shared.identifiers import TokenId
from shared.units import NS_PER_MS
from shared.venue.streams_wire import MarketOperation
from tests.builders.feeds import at

ONE, TWO, THREE = (TokenId(text) for text in ("1", "2", "3"))
EVERY_MS = OPERATE_EVERY_NS / NS_PER_MS


def subscribe(*tokens: TokenId) -> MarketOperation:
    return MarketOperation("subscribe", tokens, custom_feature_enabled=True)


def unsubscribe(*tokens: TokenId) -> MarketOperation:
    return MarketOperation("unsubscribe", tokens)


def test_nothing_to_ask_for_is_no_frame() -> None:
    assert Operations().take(at(0)) == []


@pytest.mark.req("DQ-3")
def test_first_leaves_at_once_and_the_rest_together_when_it_may() -> None:
    operations = Operations()
    operations.renew(ONE)
    assert operations.take(at(0)) == [unsubscribe(ONE), subscribe(ONE)]
    operations.renew(TWO)
    operations.join((THREE,))
    assert operations.take(at(EVERY_MS - 1)) == []
    assert operations.take(at(EVERY_MS)) == [unsubscribe(TWO), subscribe(TWO, THREE)]
    assert operations.take(at(9 * EVERY_MS)) == []


def test_token_that_was_to_be_joined_and_is_left_is_not_joined() -> None:
    operations = Operations()
    operations.join((ONE, TWO))
    operations.leave((ONE,))
    assert operations.take(at(0)) == [unsubscribe(ONE), subscribe(TWO)]


def test_new_connection_forgets_what_waited() -> None:
    operations = Operations()
    operations.renew(ONE)
    operations.clear()
    assert operations.take(at(0)) == []

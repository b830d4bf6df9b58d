"""NET-6: what may wait for a connection, and what never does."""

import pytest

from services.execution.gateway import lanes
from services.execution.requests import POST_LANE
from tests.architecture.tree import ROOT
from tests.builders.risk_parts import config


@pytest.mark.req("NET-6")
def test_posts_never_wait_for_a_connection_and_all_else_may() -> None:
    waiting = {lane.name: lane.waits_unconnected for lane in lanes(config())}
    assert waiting.pop(POST_LANE) is False
    assert all(waiting.values())


@pytest.mark.req("NET-6")
def test_no_order_can_go_by_way_of_a_stream_or_its_buffer() -> None:
    """The buffer is the feeds' alone; execution sends on no stream at all."""
    words = ("StreamSend", "StreamOpen", "outbox", "Outbox")
    sources = sorted((ROOT / "services" / "execution").rglob("*.py"))
    assert sources
    found = [path.name for path in sources if any(word in path.read_text() for word in words)]
    assert found == []

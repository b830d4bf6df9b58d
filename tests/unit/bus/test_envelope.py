import msgpack
import msgspec
import pytest

from bus.envelope import SCHEMA, Cause, Corrupt, Header, decode, encode
from shared.effects import Received
from shared.facts import StateView
from shared.identifiers import Component, Incarnation
from shared.topics import FEED_MARKET, STATE, TOPICS
from shared.units import BootNs, Instant, MonotonicNs, WallNs


def make_header(
    *,
    component: Component = STATE,
    topic: str = "state.view",
    sequence: int = 4,
    schema: int = SCHEMA,
) -> Header:
    return Header(
        component=component,
        incarnation=Incarnation(2**63 - 1),
        topic=topic,
        sequence=sequence,
        sent_ns=MonotonicNs(10),
        input_ns=MonotonicNs(8),
        wall_ns=99,
        schema=schema,
        caused_by=(Cause(FEED_MARKET, Incarnation(5), {"feed.market": 12}),),
        now=Instant(BootNs(1), MonotonicNs(2), WallNs(3)),
    )


BODY = StateView(())


def test_fact_comes_back_as_it_was_sent() -> None:
    received = decode(encode(make_header(), BODY))
    assert received == Received(
        STATE, Incarnation(2**63 - 1), "state.view", 4, MonotonicNs(10), MonotonicNs(8), 99, BODY
    )


def test_plain_msgpack_reads_header_and_payload() -> None:
    _, header, payload = encode(make_header(), BODY)
    assert msgpack.unpackb(header)["caused_by"][0]["newest"] == {"feed.market": 12}
    assert msgpack.unpackb(payload) == {"markets": []}


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([], "0 frames"),
        ([b"state.view", b"\xc1", b""], "header: "),
        (encode(make_header(sequence=0), BODY), "sequence 0"),
        (encode(make_header(schema=SCHEMA + 1), BODY), "schema"),
        (encode(make_header(topic="state.other"), BODY), "unknown topic"),
        (encode(make_header(component=FEED_MARKET), BODY), "may not publish"),
        ([b"state.doubted", *encode(make_header(), BODY)[1:]], "differ"),
        ([*encode(make_header(), BODY)[:2], b"\xc1"], "payload: "),
        ([*encode(make_header(), BODY)[:2], msgpack.packb({"markets": 3})], "payload: "),
        ([*encode(make_header(), BODY)[:2], msgpack.packb({"markets": [], "x": 1})], "payload: "),
    ],
)
def test_what_the_routing_table_does_not_describe_is_corrupt(frames: list[bytes], why: str) -> None:
    decoded = decode(frames)
    assert isinstance(decoded, Corrupt)
    assert why in decoded.why
    assert decoded.raw == tuple(frames)


def test_no_topic_begins_with_another_since_subscriptions_match_beginnings() -> None:
    names = [topic.name for topic in TOPICS]
    assert [(a, b) for a in names for b in names if a != b and b.startswith(a)] == []


def test_every_topic_has_a_body_that_msgspec_can_decode() -> None:
    for topic in TOPICS:
        assert msgspec.msgpack.Decoder(topic.body).type is topic.body

import msgspec
import pytest

from shared.identifiers import Component
from shared.topics import BY_NAME, COMPONENTS, EVERYBODY, RECORDER, TOPICS, Topic, subscriptions


def test_every_topic_has_one_row() -> None:
    assert len(BY_NAME) == len(TOPICS)


def test_publishers_and_readers_are_components() -> None:
    for topic in TOPICS:
        assert set(topic.publishers) <= set(COMPONENTS)
        assert set(topic.readers) <= set(COMPONENTS)
        assert topic.publishers


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_body_can_be_decoded(topic: Topic) -> None:
    assert msgspec.msgpack.Decoder(topic.body).type == topic.body


def test_recorder_reads_every_topic_of_everybody_else() -> None:
    wanted = subscriptions(RECORDER)
    for topic in TOPICS:
        for publisher in topic.publishers:
            if publisher != RECORDER:
                assert topic.name in wanted[publisher]


@pytest.mark.parametrize("component", EVERYBODY)
def test_nobody_subscribes_to_itself_and_everybody_hears_the_sequences(
    component: Component,
) -> None:
    wanted = subscriptions(component)
    assert component not in wanted
    assert all("bus.sequences" in names for names in wanted.values())

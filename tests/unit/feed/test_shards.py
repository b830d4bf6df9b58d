"""Many tokens over several connections: who carries what, and what a loss concerns."""

import pytest

from services.feed.evidence import EvidenceBoard
from services.feed.shards import SHARDS_MAX, Shards
from shared.effects import Effect, StreamClosed, StreamOpen, StreamText
from shared.identifiers import TokenId
from shared.units import MonotonicNs
from tests.builders.feeds import at, of_type, sent

Market = tuple[TokenId, ...]


def markets(first: int, count: int) -> list[Market]:
    return [(TokenId(f"{2 * n}"), TokenId(f"{2 * n + 1}")) for n in range(first, first + count)]


class Rig:
    """Shards whose connections a fake venue opens."""

    def __init__(self, tokens_max: int) -> None:
        self.board = EvidenceBoard()
        self.shards = Shards(("ws://one", "ws://two"), 1, tokens_max, self.board)

    def follow(self, *parts: list[Market]) -> list[Effect]:
        effects = self.shards.follow([one for part in parts for one in part], at(0)) or []
        self.board.watch(self.shards.tokens(), at(0).monotonic_ns)
        self.open(effects)
        return effects

    def open(self, effects: list[Effect], milliseconds: float = 0) -> list[Effect]:
        now = at(milliseconds)
        said: list[Effect] = []
        for opening in of_type(effects, StreamOpen):
            shard = self.shards.of_stream(opening.stream)
            assert shard is not None
            said += shard.on_opened(now)
            shard.connection.confirm(now)
        return said

    def placed(self) -> dict[TokenId, int]:
        numbers = {}
        for token in self.shards.tokens():
            shard = self.shards.of_token(token)
            assert shard is not None
            numbers[token] = shard.number
        return numbers

    def lose(self, number: int, milliseconds: float) -> None:
        connection = self.shards.all()[number].connection
        connection.on_closed(StreamClosed(connection.stream, 1006, "gone"), at(milliseconds))


@pytest.mark.req("NET-1")
def test_tokens_beyond_one_connection_go_to_further_ones_and_markets_stay_whole() -> None:
    rig = Rig(500)
    opened = of_type(rig.follow(markets(0, 601)), StreamOpen)
    assert len(opened) == 3
    assert [len(shard.books) for shard in rig.shards.used()] == [500, 500, 202]
    placed = rig.placed()
    assert all(placed[up] == placed[down] for up, down in markets(0, 601))
    assert rig.shards.left_out == 0


def test_first_frame_of_each_connection_names_its_tokens_alone() -> None:
    rig = Rig(4)
    effects = rig.shards.follow(markets(0, 3), at(0)) or []
    frames = sent(rig.open(effects))
    assert [frame["assets_ids"] for frame in frames] == [["0", "1", "2", "3"], ["4", "5"]]


@pytest.mark.req("MR-1")
def test_token_stays_where_it_is_while_others_come_and_go() -> None:
    rig = Rig(4)
    rig.follow(markets(0, 4))
    before = rig.placed()
    rig.follow(markets(1, 3), markets(10, 2))
    after = rig.placed()
    kept = [token for market in markets(1, 3) for token in market]
    assert all(before[token] == after[token] for token in kept)
    assert after[TokenId("20")] == 0, "the room that the ended market left"
    assert after[TokenId("22")] == 2


def test_new_market_goes_where_a_connection_is_ready() -> None:
    rig = Rig(6)
    rig.follow(markets(0, 5))
    assert set(rig.placed().values()) == {0, 1}
    rig.follow(markets(0, 2), markets(3, 2))
    rig.lose(0, 10)
    rig.follow(markets(0, 2), markets(3, 2), markets(8, 1))
    assert rig.placed()[TokenId("16")] == 1


@pytest.mark.req("NET-1")
@pytest.mark.req("KS-4")
def test_loss_of_a_connection_leaves_its_tokens_without_evidence_and_no_others() -> None:
    rig = Rig(2)
    rig.follow(markets(0, 2))
    for token in rig.shards.tokens():
        rig.board.prove(token, MonotonicNs(7))
    rig.lose(1, 10)
    told = {entry.key: (entry.evident_ns, entry.shard) for entry in rig.shards.entries()}
    assert told == {"0": (7, 0), "1": (7, 0), "2": (None, 1), "3": (None, 1)}
    assert rig.shards.is_ready
    assert rig.shards.cause.startswith("connection 1: closed 1006")
    assert [shard.connected for shard in rig.shards.say()] == [True, False]


def test_together_they_count_sessions_and_losses_as_one_connection_does() -> None:
    rig = Rig(2)
    rig.follow(markets(0, 3))
    assert (rig.shards.session, rig.shards.reconnects) == (1, 0)
    rig.lose(1, 10)
    reopened = rig.shards.all()[1].connection.on_tick(at(2_000))
    rig.open(reopened, 2_000)
    assert (rig.shards.session, rig.shards.reconnects) == (2, 1)
    assert [shard.session for shard in rig.shards.say()] == [1, 2, 1]


def test_text_of_a_connection_is_its_own() -> None:
    rig = Rig(2)
    rig.follow(markets(0, 2))
    streams = [shard.connection.stream for shard in rig.shards.used()]
    assert len(set(streams)) == 2
    for number, stream in enumerate(streams):
        text = StreamText(stream, "PONG", MonotonicNs(0))
        shard = rig.shards.of_stream(text.stream)
        assert shard is not None
        assert shard.number == number
    assert rig.shards.of_stream("market.99") is None


def test_tokens_that_no_connection_has_room_for_are_counted() -> None:
    rig = Rig(2)
    rig.follow(markets(0, SHARDS_MAX + 2))
    assert len(rig.shards.used()) == SHARDS_MAX
    assert rig.shards.left_out == 4
    assert rig.shards.of_token(TokenId(str(2 * SHARDS_MAX))) is None


def test_connection_without_tokens_is_closed_and_used_again() -> None:
    rig = Rig(2)
    rig.follow(markets(0, 2))
    rig.follow(markets(0, 1))
    assert [shard.number for shard in rig.shards.used()] == [0]
    assert of_type(rig.follow(markets(0, 1), markets(5, 1)), StreamOpen)
    assert rig.placed()[TokenId("10")] == 1


def test_same_markets_change_nothing() -> None:
    rig = Rig(2)
    rig.follow(markets(0, 2))
    assert rig.shards.follow(markets(0, 2), at(1)) is None

"""The bench of frames, with few of them: it measures what is right, or says what is not."""

from pathlib import Path

import pytest

from ops.bench import feed
from ops.bench.results import BenchFailed
from ops.simulation.books import Books, at
from ops.simulation.market_frames import generate
from shared.units import NS_PER_MS

CHANGES = 2_000


def test_bench_measures_the_whole_way_and_both_halves_beside_a_floor() -> None:
    results = feed.measure(changes=CHANGES)
    assert [result.name for result in results] == list(feed.NAMES)
    for result in results:
        assert result.samples >= CHANGES // 2
        assert result.per_second is not None
        assert result.floor_per_second is not None
        assert 0 < result.per_second < result.floor_per_second


def test_frames_follow_from_their_seed() -> None:
    assert generate(3, 200, 4) == generate(3, 200, 4)
    assert generate(3, 200, 4) != generate(4, 200, 4)


@pytest.mark.req("VEN-4")
def test_every_batch_is_proven_as_soon_as_it_is_whole() -> None:
    frames = generate(2, CHANGES, 3)
    books = Books(frames.markets)
    now = at(frames.dump.venue_ms, 0)
    books.open(now)
    books.hear(frames.dump.texts[0], now)
    for number, read in enumerate(frames.reads):
        now = at(read.venue_ms, number * NS_PER_MS)
        last = len(read.texts) - 1
        before = books.counts.views
        for place, text in enumerate(read.texts):
            books.hear(text, now, more=place < last)
        assert books.counts.views > before, f"read {number} was not proven"
    assert (books.counts.doubts, books.counts.refused) == (0, 0)


def test_recorded_frames_are_read_bare_or_within_what_a_recorder_wrote(tmp_path: Path) -> None:
    frames = generate(2, 20, 1)
    texts = [text for read in (frames.dump, *frames.reads) for text in read.texts]
    file = tmp_path / "frames.jsonl"
    file.write_text("\n".join([*texts, '{"data":"PONG"}', ""]))
    whole, *_ = feed.measure(file)
    assert whole.samples == len(texts) - 1


@pytest.mark.parametrize("content", ["", "{", '{"data":"PONG"}'])
def test_file_without_books_is_no_run(tmp_path: Path, content: str) -> None:
    file = tmp_path / "frames.jsonl"
    file.write_text(content)
    with pytest.raises(BenchFailed, match=r"frames\.jsonl"):
        feed.measure(file)

import pytest

from services.feed.connection import Connection
from services.feed.connection_rules import ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.messages import KeepFrame
from services.feed.report import FUTURE, LOGGED_CHARS_MAX, REJECT_LOGS_MAX, FeedReport
from shared.effects import Effect, Log
from shared.quarantine import RAW_CHARS_MAX
from shared.topics import FEED_MARKET, FEED_USER
from tests.builders.feeds import at, facts, of_type

RULES = ConnectionRules("market", "ws://venue", "", 10**9)


def test_status_is_repeated_every_100_ms() -> None:
    report, connection, board = FeedReport(FEED_MARKET), Connection(RULES, 1), EvidenceBoard()
    times = [step for step in range(500) if report.on_tick(connection, board, at(step))]
    assert times == [0, 100, 200, 300, 400]


def test_change_of_the_connection_is_said_at_once() -> None:
    report, connection, board = FeedReport(FEED_MARKET), Connection(RULES, 1), EvidenceBoard()
    report.on_tick(connection, board, at(0))
    connection.start(at(1))
    connection.on_opened(at(1))
    (status,) = facts(report.on_tick(connection, board, at(1)), "feed.status")
    assert (status.session, status.connected) == (1, False)
    connection.confirm(at(2))
    (status,) = facts(report.on_tick(connection, board, at(2)), "feed.status")
    assert (status.connected, status.since_ns, status.cause) == (True, at(2).monotonic_ns, "")


@pytest.mark.req("DQ-5")
def test_refused_frames_are_counted_all_and_kept_and_shown_in_part() -> None:
    report = FeedReport(FEED_MARKET)
    effects: list[Effect] = []
    for _ in range(REJECT_LOGS_MAX + 5):
        effects += report.reject("x" * 2 * RAW_CHARS_MAX, "test", at(0))
    logs, kept = of_type(effects, Log), of_type(effects, KeepFrame)
    assert len(logs) == len(kept) == REJECT_LOGS_MAX
    assert len(logs[0].fields["raw"]) == LOGGED_CHARS_MAX
    assert len(kept[0].frame.raw) == RAW_CHARS_MAX
    assert kept[0].frame.characters == 2 * RAW_CHARS_MAX
    assert logs[3].fields["reference"] == kept[3].frame.reference
    assert len({one.frame.reference for one in kept}) == REJECT_LOGS_MAX
    assert report.rejected_frames == REJECT_LOGS_MAX + 5
    assert report.reject("x", "test", at(1_000))


@pytest.mark.req("DQ-5")
def test_secret_of_a_refused_frame_is_neither_logged_nor_kept() -> None:
    report = FeedReport(FEED_USER)
    log, keep = report.reject('{"secret":"hunter2","x":', "no JSON", at(0))
    assert "hunter2" not in repr(log) + repr(keep)


@pytest.mark.req("DQ-5")
def test_status_tells_the_share_of_refused_frames_and_stamps_of_the_future() -> None:
    report, connection, board = FeedReport(FEED_MARKET), Connection(RULES, 1), EvidenceBoard()
    for step in range(20):
        report.frame(at(step))
    report.reject("{", "no JSON", at(20))
    report.reject("{}", FUTURE, at(20))
    (status,) = facts([report.status(connection, board, at(21))], "feed.status")
    assert (status.window_frames, status.window_rejected, status.future_stamps) == (20, 2, 1)

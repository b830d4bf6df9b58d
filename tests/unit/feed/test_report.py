from services.feed.connection import Connection
from services.feed.connection_rules import ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.report import RAW_CHARS_MAX, REJECT_LOGS_MAX, FeedReport
from shared.effects import Log
from shared.topics import FEED_MARKET
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


def test_refused_frames_are_counted_all_and_shown_in_part() -> None:
    report = FeedReport(FEED_MARKET)
    logs: list[Log] = []
    for _ in range(REJECT_LOGS_MAX + 5):
        logs += of_type(report.reject("x" * 2 * RAW_CHARS_MAX, "test", at(0)), Log)
    assert len(logs) == REJECT_LOGS_MAX
    assert len(logs[0].fields["raw"]) == RAW_CHARS_MAX
    assert report.rejected_frames == REJECT_LOGS_MAX + 5
    assert report.reject("x", "test", at(1_000))

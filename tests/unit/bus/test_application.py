import msgspec
import pytest

from bus.application import Application
from bus.edge import CommitFailed, Edge
from shared.effects import (
    Control,
    Durable,
    Effect,
    Exit,
    HttpFailed,
    HttpRequest,
    JournalFailed,
    Log,
    Message,
    Publish,
)
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NOW = Instant(BootNs(1), MonotonicNs(2), WallNs(3))


class Journal(Durable, frozen=True):
    line: str = "intended"


class Body(msgspec.Struct, frozen=True):
    pass


class Recording:
    """An outlet that writes down what reaches it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def publish(self, effect: Publish, decided: Instant) -> None:
        self.done.append("publish")

    def send_control(self, effect: Control) -> None:
        self.done.append("control")

    def log(self, effect: Log) -> None:
        self.done.append("log")

    def exit(self, effect: Exit) -> None:
        self.done.append("exit")


class Ledger(Edge):
    handles = (Journal,)

    def __init__(self, done: list[str], *, fails: bool = False) -> None:
        self._done = done
        self._fails = fails

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        self._done.append("journal")
        return []

    def commit(self, now: Instant) -> None:
        if self._fails:
            raise CommitFailed("disk full")
        self._done.append("commit")


class Venue(Edge):
    handles = (HttpRequest,)

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, HttpRequest)
        self._done.append(effect.lane)
        return []

    def is_urgent(self, effect: Effect) -> bool:
        return isinstance(effect, HttpRequest) and effect.lane == "cancel"

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, HttpRequest)
        return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]


def make_request(lane: str) -> HttpRequest:
    return HttpRequest(1, lane, "POST", "/", b"", BootNs(9))


def apply(*turn: Effect, fails: bool = False) -> tuple[list[str], list[Message]]:
    outlet = Recording()
    edges = (Ledger(outlet.done, fails=fails), Venue(outlet.done))
    application = Application(outlet, edges, lambda: NOW)
    messages = application.apply([(effect, NOW) for effect in turn])
    return outlet.done, messages


PUBLISH = Publish("topic", Body(), MonotonicNs(1))


@pytest.mark.req("INV-2")
def test_journal_is_committed_before_anything_leaves_whatever_the_order_returned() -> None:
    done, _ = apply(make_request("post"), PUBLISH, Journal(), Log("x"), Journal())
    assert done == ["journal", "journal", "commit", "post", "publish", "log"]


@pytest.mark.req("INV-4")
def test_cancel_and_control_leave_before_the_commit() -> None:
    done, _ = apply(Journal(), make_request("post"), make_request("cancel"), Control(Body()))
    assert done == ["cancel", "control", "journal", "commit", "post"]


@pytest.mark.req("INV-2")
def test_nothing_leaves_after_a_failed_commit_and_its_edge_answers_for_it() -> None:
    done, messages = apply(Journal(), make_request("post"), PUBLISH, Log("x"), fails=True)
    assert done == ["journal", "log"]
    assert messages == [
        JournalFailed("disk full"),
        HttpFailed(1, sent=False, reason="not_journaled"),
    ]


@pytest.mark.req("INV-4")
def test_cancel_leaves_though_the_commit_fails() -> None:
    done, _ = apply(Journal(), make_request("cancel"), fails=True)
    assert done == ["cancel", "journal"]


def test_exit_is_carried_out_though_the_commit_fails() -> None:
    done, _ = apply(Journal(), Exit(0, "done"), fails=True)
    assert done == ["journal", "exit"]


def test_turn_without_a_journal_commits_nothing() -> None:
    done, _ = apply(make_request("post"))
    assert done == ["post"]


def test_effect_that_no_edge_handles_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no edge handles"):
        Application(Recording(), (), lambda: NOW).apply([(make_request("post"), NOW)])


def test_two_edges_for_one_effect_are_a_bug() -> None:
    done: list[str] = []
    with pytest.raises(AssertionError, match="two edges"):
        Application(Recording(), (Venue(done), Venue(done)), lambda: NOW)

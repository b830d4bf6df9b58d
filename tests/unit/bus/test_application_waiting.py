"""A commit that takes its time: what leaves meanwhile, what waits, in which order."""

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
    HttpReset,
    JournalFailed,
    JournalHeld,
    Log,
    Message,
    Publish,
)
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NOW = Instant(BootNs(1), MonotonicNs(2), WallNs(3))


class Journal(Durable, frozen=True):
    pass


class Body(msgspec.Struct, frozen=True):
    pass


class Disk(Edge):
    """Commits when the test says so."""

    handles = (Journal,)

    def __init__(self, done: list[str]) -> None:
        self._done = done
        self.is_held = False
        self.failure = ""
        self.closed = False

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, Journal)
        self._done.append(f"journal {effect.number}")
        return []

    def commit(self, now: Instant) -> None:
        self._done.append("begin")
        self.is_held = False

    def is_committed(self, now: Instant) -> bool:
        if self.failure:
            raise CommitFailed(self.failure)
        return self.is_held


class Venue(Edge):
    handles = (HttpRequest, HttpReset)

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        if isinstance(effect, HttpRequest):
            self._done.append(f"{effect.lane} {effect.request_id}")
        else:
            self._done.append("reset")
        return []

    def is_urgent(self, effect: Effect) -> bool:
        return isinstance(effect, HttpReset) or (
            isinstance(effect, HttpRequest) and effect.lane == "cancel"
        )

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, HttpRequest)
        return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        if isinstance(urgent, HttpReset) and isinstance(waiting, HttpRequest):
            return [HttpFailed(waiting.request_id, sent=False, reason="reset")]
        return []


class Rig:
    """An application with a disk that the test holds, and what was done so far."""

    def __init__(self, waiting_max: int = 100) -> None:
        self.done: list[str] = []
        self.disk = Disk(self.done)
        edges = (self.disk, Venue(self.done))
        self.application = Application(self, edges, lambda: NOW, waiting_max)

    def publish(self, effect: Publish, decided: Instant) -> None:
        self.done.append(f"publish {effect.topic}")

    def send_control(self, effect: Control) -> None:
        self.done.append("control")

    def log(self, effect: Log) -> None:
        self.done.append(f"log {effect.event}")

    def exit(self, effect: Exit) -> None:
        self.done.append("exit")

    def turn(self, *effects: Effect) -> list[Message]:
        return self.application.apply([(effect, NOW) for effect in effects])

    def hold(self) -> list[Message]:
        """Let the commit that is under way hold, and look."""
        self.disk.is_held = True
        return self.application.settle()

    def fail(self, why: str) -> list[Message]:
        self.disk.failure = why
        messages = self.application.settle()
        self.disk.failure = ""
        return messages

    def take(self) -> list[str]:
        done = self.done[:]
        self.done.clear()
        return done


def request(lane: str, number: int) -> HttpRequest:
    return HttpRequest(number, lane, "POST", "/", b"", BootNs(9))


def fact(name: str) -> Publish:
    return Publish(name, Body(), MonotonicNs(1))


@pytest.mark.req("INV-2")
def test_post_waits_until_the_commit_of_its_turn_has_held() -> None:
    rig = Rig()
    assert rig.turn(Journal(number=1), request("post", 1), fact("a")) == []
    assert rig.application.is_waiting
    assert rig.application.settle() == []
    assert rig.take() == ["journal 1", "begin"]
    assert rig.hold() == [JournalHeld(1)]
    assert rig.take() == ["post 1", "publish a"]
    assert not rig.application.is_waiting


@pytest.mark.req("INV-4")
def test_cancels_and_control_of_later_turns_leave_while_a_commit_is_under_way() -> None:
    rig = Rig()
    rig.turn(Journal(number=1), request("post", 1))
    rig.take()
    rig.turn(fact("a"), Control(Body()), request("cancel", 2))
    assert rig.take() == ["control", "cancel 2"]


@pytest.mark.req("INV-2")
def test_turn_without_a_journal_waits_behind_one_with() -> None:
    rig = Rig()
    rig.turn(Journal(number=1), fact("first"))
    rig.turn(fact("second"), request("read", 2), Log("x"))
    rig.take()
    rig.hold()
    assert rig.take() == ["publish first", "publish second", "read 2", "log x"]


@pytest.mark.req("INV-2")
def test_turns_that_waited_share_the_next_commit_and_keep_their_order() -> None:
    rig = Rig()
    rig.turn(Journal(number=1), request("post", 1))
    rig.turn(fact("between"))
    rig.turn(Journal(number=2), request("post", 2))
    rig.turn(fact("more"))
    rig.turn(Journal(number=3), request("post", 3))
    assert rig.take() == ["journal 1", "begin"]
    assert rig.hold() == [JournalHeld(1)]
    assert rig.take() == ["post 1", "publish between", "journal 2", "journal 3", "begin"]
    assert rig.hold() == [JournalHeld(3)]
    assert rig.take() == ["post 2", "publish more", "post 3"]


@pytest.mark.req("INV-2")
def test_failure_takes_the_turns_behind_it_along_and_all_are_answered() -> None:
    rig = Rig()
    rig.turn(Journal(number=1), request("post", 1), fact("a"))
    rig.turn(Journal(number=2), request("post", 2), Log("x"))
    rig.turn(request("read", 3), Exit(0, "done"))
    rig.take()
    assert rig.fail("disk full") == [
        JournalFailed("disk full"),
        HttpFailed(1, sent=False, reason="not_journaled"),
        HttpFailed(2, sent=False, reason="not_journaled"),
        HttpFailed(3, sent=False, reason="not_journaled"),
    ]
    assert rig.take() == ["log x", "exit"]
    assert not rig.application.is_waiting
    rig.turn(Journal(number=3), request("post", 4))
    assert rig.hold() == [JournalHeld(3)]
    assert rig.take() == ["journal 3", "begin", "post 4"]


@pytest.mark.req("KS-4")
def test_reset_takes_posts_back_that_wait_for_their_commit() -> None:
    rig = Rig()
    rig.turn(Journal(number=1), request("post", 1), fact("a"))
    rig.turn(Journal(number=2), request("post", 2))
    rig.take()
    assert rig.turn(HttpReset("post"), request("cancel", 3)) == [
        HttpFailed(1, sent=False, reason="reset"),
        HttpFailed(2, sent=False, reason="reset"),
    ]
    assert rig.take() == ["reset", "cancel 3"]
    rig.hold()
    rig.hold()
    assert rig.take() == ["publish a", "journal 2", "begin"]


def test_clean_end_of_the_process_waits_for_the_commit_before_it() -> None:
    rig = Rig()
    rig.turn(Journal(number=1))
    rig.turn(Exit(0, "zero proven"))
    assert rig.take() == ["journal 1", "begin"]
    rig.hold()
    assert rig.take() == ["exit"]


def test_end_that_has_given_up_waiting_waits_for_no_disk() -> None:
    rig = Rig()
    rig.turn(Journal(number=1))
    rig.turn(Exit(1, "zero not proven"))
    assert rig.take() == ["journal 1", "begin", "exit"]


@pytest.mark.req("INV-2")
def test_turn_that_finds_no_room_is_withheld_and_the_core_hears_it() -> None:
    rig = Rig(waiting_max=3)
    rig.turn(Journal(number=1), request("post", 1))
    rig.turn(fact("a"))
    messages = rig.turn(Journal(number=2), request("post", 2), request("cancel", 3))
    assert messages == [
        JournalFailed("too much waits for a commit under way"),
        HttpFailed(2, sent=False, reason="not_journaled"),
    ]
    assert rig.take() == ["journal 1", "begin", "cancel 3"]
    assert rig.hold() == [JournalHeld(1)]
    assert rig.take() == ["post 1", "publish a"]


def test_alarm_is_heard_while_a_commit_is_under_way() -> None:
    rig = Rig()
    rig.turn(Journal(number=1))
    rig.take()
    rig.turn(fact("risk.alert"), Log("ledger.failed", level="critical"), Log("other"), fact("b"))
    assert rig.take() == ["publish risk.alert", "log ledger.failed"]

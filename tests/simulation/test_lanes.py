"""The simulated lanes keep the promises of the real HTTP edge, and the network's tricks."""

from collections.abc import Mapping

import pytest

from bus.http import Lane
from ops.simulation.faults import Rates
from ops.simulation.lanes import Answer, Lanes
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.effects import HttpFailed, HttpReply, HttpRequest, Message
from shared.units import NS_PER_MS, BootNs, Instant

ALWAYS = 1_000_000
URL = "http://127.0.0.1:1"


class Venue:
    """Answers at once, and remembers what has landed."""

    def __init__(self) -> None:
        self.landed: list[str] = []

    def request(self, request: HttpRequest, headers: Mapping[str, str], answer: Answer) -> None:
        self.landed.append(request.path)
        answer(200, {}, b"{}")


class Rig:
    def __init__(self, rates: Rates | None = None, refusal: str | None = None) -> None:
        self.scheduler = Scheduler(Chance(1))
        self.venue = Venue()
        self.writes: list[str] = []
        self.lanes = Lanes(
            "execution",
            self.scheduler,
            Chance(2),
            rates or Rates(),
            Trace(),
            self.venue,
            self,
            lambda: None,
            lambda request, now: refusal if request.lane == "post" else None,
            [Lane("post", URL), Lane("cancel", URL, is_urgent=True)],
        )

    def written(self, who: str, request: HttpRequest, now: Instant) -> None:
        self.writes.append(request.path)

    def send(self, number: int, lane: str = "post") -> None:
        deadline_ns = BootNs(self.scheduler.instant().boot_ns + 1_000 * NS_PER_MS)
        self.lanes.send(HttpRequest(number, lane, "POST", f"/{number}", b"", deadline_ns))

    def told_after(self, milliseconds: int) -> list[Message]:
        self.scheduler.run_until(self.scheduler.now_ns + milliseconds * NS_PER_MS)
        return self.lanes.on_tick(self.scheduler.instant())


def failures(told: list[Message]) -> list[tuple[int, bool, str]]:
    return [(item.request_id, item.sent, item.reason) for item in told if type(item) is HttpFailed]


def test_lane_carries_one_request_at_a_time_in_order() -> None:
    rig = Rig()
    rig.send(1)
    rig.send(2)
    assert rig.writes == ["/1"]
    told = rig.told_after(20)
    assert [type(item) for item in told] == [HttpReply]
    assert rig.writes == ["/1", "/2"]


def test_cancel_waits_for_no_post() -> None:
    rig = Rig()
    rig.send(1)
    rig.send(2, "cancel")
    assert rig.writes == ["/1", "/2"]


def test_check_before_the_write_keeps_the_request_here() -> None:
    rig = Rig(refusal="lease")
    rig.send(1)
    assert failures(rig.told_after(20)) == [(1, False, "lease")]
    assert rig.venue.landed == []


@pytest.mark.parametrize("fault", ["request_lost", "reply_lost"])
def test_silence_ends_at_the_deadline_with_an_unknown_outcome(fault: str) -> None:
    rig = Rig(Rates(**{fault: ALWAYS}))
    rig.send(1)
    assert rig.told_after(999) == []
    assert failures(rig.told_after(1)) == [(1, True, "deadline")]
    assert rig.venue.landed == ([] if fault == "request_lost" else ["/1"])


def test_broken_connection_has_an_unknown_outcome_though_the_venue_acted() -> None:
    rig = Rig(Rates(connection_reset=ALWAYS))
    rig.send(1)
    assert failures(rig.told_after(20)) == [(1, True, "closed")]
    assert rig.venue.landed == ["/1"]


def test_late_request_lands_although_its_sender_has_died() -> None:
    rig = Rig(Rates(request_late=ALWAYS))
    rig.send(1)
    rig.lanes.close()
    rig.told_after(2_000)
    assert rig.venue.landed == ["/1"]


def test_reset_takes_back_what_the_kernel_still_holds() -> None:
    rig = Rig(Rates(request_late=ALWAYS))
    rig.send(1)
    rig.send(2)
    rig.lanes.reset("post")
    assert failures(rig.told_after(2_000)) == [(2, False, "reset"), (1, True, "reset")]
    assert rig.venue.landed == []

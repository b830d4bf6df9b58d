"""Phases of the venue: each says what may be sent, and how what may not be waits."""

from itertools import pairwise

import pytest

from services.execution.budgets.venue_phase import (
    PAUSE_NS_MAX,
    VenuePhase,
)
from shared.effects import HttpRequest
from shared.facts import Alert
from shared.units import NS_PER_MS, NS_PER_S, BootNs, PriceE4, WallNs
from shared.venue.modes import ModeSignal, VenueMode
from shared.venue.planned_restarts import RESTART_PLANNED, PlannedRestarts
from tests.builders.execution import Rig, resting, target
from tests.builders.markets import DOWN


def at(milliseconds: int) -> BootNs:
    return BootNs(milliseconds * NS_PER_MS)


@pytest.mark.req("VEN-1")
@pytest.mark.parametrize(
    ("mode", "post_only", "plain", "reducing"),
    [
        (VenueMode.NORMAL, True, True, True),
        (VenueMode.RESTARTING, False, False, False),
        (VenueMode.POST_ONLY, True, False, False),
        (VenueMode.CANCEL_ONLY, False, False, False),
        (VenueMode.DISABLED, False, False, False),
        (VenueMode.CLOSED_ONLY, False, False, True),
        (VenueMode.RESTRICTED, False, False, False),
    ],
)
def test_each_phase_fixes_what_may_be_sent(
    mode: VenueMode, post_only: bool, plain: bool, reducing: bool
) -> None:
    phase = VenuePhase()
    phase.hear(ModeSignal(mode, 1_000), at(0))
    now = at(999)
    assert (phase.holds(now, post_only=True) == "") is post_only
    assert (phase.holds(now, post_only=False) == "") is plain
    assert (phase.holds(now, post_only=False, reduce_only=True) == "") is reducing


@pytest.mark.req("VEN-1", "EX-13")
def test_own_pauses_double_up_to_half_a_minute_and_are_never_alike() -> None:
    phase = VenuePhase()
    now, pauses = at(0), []
    for _ in range(9):
        phase.hear(ModeSignal(VenueMode.DISABLED, None), now)
        began = now
        while phase.holds(now, post_only=True):
            now = BootNs(now + 10 * NS_PER_MS)
        pauses.append(now - began)
    assert pauses[0] == NS_PER_S
    assert all(later > earlier for earlier, later in pairwise(pauses[:5]))
    assert PAUSE_NS_MAX <= max(pauses) < 2 * PAUSE_NS_MAX
    assert len(set(pauses[5:])) > 1, "jitter"


@pytest.mark.req("VEN-1")
def test_cancels_that_ask_all_the_time_do_not_lengthen_the_pause_of_posts() -> None:
    phase = VenuePhase()
    for quarter in range(12):
        phase.hear(ModeSignal(VenueMode.RESTARTING, None), at(250 * quarter))
    assert phase.holds(at(2_750 + 3_000), post_only=True) == ""


@pytest.mark.req("VEN-1")
def test_window_after_a_restart_is_known_without_being_told() -> None:
    """Post-only orders are taken in it without a word; any other would be refused."""
    phase = VenuePhase()
    phase.hear(ModeSignal(VenueMode.RESTARTING, 1_000), at(0))
    phase.accepted(at(5_000), post_only=True)
    assert phase.holds(at(5_000), post_only=True) == ""
    assert phase.holds(at(119_999), post_only=False) == "post_only"
    assert phase.holds(at(120_000), post_only=False) == ""
    phase.accepted(at(121_000), post_only=True)
    assert phase.mode is VenueMode.NORMAL


@pytest.mark.req("VEN-1")
@pytest.mark.parametrize("mode", [VenueMode.RESTARTING, VenueMode.DISABLED])
def test_cancel_that_works_ends_the_wait_for_a_venue_that_was_gone(mode: VenueMode) -> None:
    phase = VenuePhase()
    phase.hear(ModeSignal(mode, 30_000), at(0))
    phase.reopened(at(2_000))
    assert phase.holds(at(2_000), post_only=True) == ""


@pytest.mark.req("VEN-1")
def test_cancel_that_works_says_nothing_of_a_venue_that_only_cancels() -> None:
    phase = VenuePhase()
    phase.hear(ModeSignal(VenueMode.CANCEL_ONLY, 30_000), at(0))
    phase.reopened(at(2_000))
    assert phase.holds(at(2_000), post_only=True) == "cancel_only"


# --- calendar ---------------------------------------------------------------------------

WALL = 1_790_000_000 * NS_PER_S
RESTART = PlannedRestarts((WallNs(WALL),), lead_ns=10 * NS_PER_S, lasts_ns=90 * NS_PER_S)


@pytest.mark.req("VEN-1")
@pytest.mark.parametrize(
    ("offset_s", "held"), [(-11, False), (-10, True), (0, True), (89, True), (90, False)]
)
def test_posts_stop_shortly_before_a_planned_restart_until_it_is_over(
    offset_s: int, held: bool
) -> None:
    phase = VenuePhase(RESTART)
    wall_ns = WALL + offset_s * NS_PER_S
    assert (phase.holds_all(at(0), wall_ns) == RESTART_PLANNED) is held


def test_nothing_is_held_where_nothing_is_planned() -> None:
    assert VenuePhase().holds_all(at(0), WALL) == ""


@pytest.mark.req("VEN-1", "EX-3")
def test_planned_restart_stops_posts_and_explains_cancels_that_fail() -> None:
    rig = resting()
    start_ns = WallNs(rig.now.wall_ns + 2 * NS_PER_S)
    rig.core._parts.desk.phase._planned = PlannedRestarts((start_ns,), NS_PER_S, 5 * NS_PER_S)
    rig.run(1_100)
    rig.wishes = (*rig.wishes, target(level=1, price=PriceE4(4_700)))
    rig.run(500)
    assert len(rig.venue.open) == 2, "what rests stays, nothing joins it"
    assert "venue" in rig.denials()
    rig.venue.cancel_status = 425
    rig.wishes = (target(),)
    rig.run(4_500)
    assert rig.pong().self_fenced is None
    told = [one for one in rig.published(Alert) if one.name == "venue_restarting"]
    assert {one.severity for one in told} == {"info"}
    rig.venue.cancel_status = 200
    rig.run(2_000)
    assert len(rig.venue.open) == 1


@pytest.mark.req("VEN-1")
def test_refused_cancel_tells_posts_that_the_venue_restarts() -> None:
    rig = resting()
    rig.venue.cancel_status = 425
    rig.wishes = (target(), target(level=1, price=PriceE4(4_700)))
    rig.run(400)
    posts = len(rig.venue.posts)
    rig.wishes = (target(), target(level=2, price=PriceE4(4_600)))
    rig.run(800)
    assert len(rig.venue.posts) == posts
    assert "venue" in rig.denials()


@pytest.mark.req("EX-13")
def test_reads_and_posts_keep_to_our_share_of_an_addresss_limits_and_cancels_do_not() -> None:
    rig = resting()
    windows = rig.core._parts.requests.windows
    now_ns = rig.now.boot_ns
    while windows.has_room("GET", "/data/orders", now_ns):
        windows.count("GET", "/data/orders", now_ns)
    while windows.has_room("POST", "/order", now_ns):
        windows.count("POST", "/order", now_ns)
    reads = len(rig.venue.seen("/data/orders"))
    posts = len(rig.venue.posts)
    rig.user_session = 2
    rig.wishes = (*rig.wishes, target(level=1, price=PriceE4(4_700)))
    rig.run(3_000)
    assert len(rig.venue.seen("/data/orders")) == reads
    assert len(rig.venue.posts) == posts
    cancels = len(rig.sent(HttpRequest, "cancel"))
    rig.wishes = (target(token=DOWN),)
    rig.wish()
    assert len(rig.sent(HttpRequest, "cancel")) == cancels + 1
    rig.run(9_000)
    assert len(rig.venue.seen("/data/orders")) > reads


def test_rig_speaks_of_no_calendar() -> None:
    assert not Rig().core._parts.desk.phase.is_expected(Rig().now.wall_ns)

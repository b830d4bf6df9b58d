"""Modes, limits and damage on the way that the venue's documentation and the network have."""

from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.orders import CORE_ORDERS, OUTCOMES
from services.simulator.catalogue.streams import REFUSED, WHOLE
from services.simulator.faults.orders import FaultOrder

ENGINE = "https://docs.polymarket.com/trading/matching-engine"
ERRORS = "https://docs.polymarket.com/resources/error-codes"
GEOBLOCK = "https://docs.polymarket.com/api-reference/geoblock"
RATES = "https://docs.polymarket.com/api-reference/trading-rate-limits"
WINDOWS = "https://docs.polymarket.com/api-reference/rate-limits"
LIFECYCLE = "https://docs.polymarket.com/concepts/order-lifecycle"
NETWORK = "https://datatracker.ietf.org/doc/html/rfc9110"

MODE_TEST = "tests/unit/simulator/test_faults.py::test_each_mode_takes_what_the_venue_takes"
GEOBLOCK_PATH = "/api/geoblock"
HALTS = (
    "tests/unit/risk/test_restricted.py::"
    "test_answer_to_a_request_of_risk_latches_and_resume_waits_for_it_to_end",
    "tests/processes/test_switches_venue.py::"
    "test_restricted_and_mixed_latch_and_a_resume_waits_for_both",
)
RESTRICTED = (
    "Trading restricted in your region, please refer to available regions - "
    "https://docs.polymarket.com/developers/CLOB/geoblock"
)


def _post(text: str, status: int = 400) -> tuple[FaultOrder, ...]:
    return (FaultOrder("refuse", method="POST", path="/order", status=status, text=text),)


def _geoblock(text: str, status: int = 200) -> tuple[FaultOrder, ...]:
    return (FaultOrder("refuse", method="GET", path=GEOBLOCK_PATH, status=status, text=text),)


MODE_ENTRIES = (
    Entry(
        number=101,
        name="restart",
        what="The engine restarts: 425 and closed sockets, then two minutes of post-only orders.",
        orders=(
            FaultOrder("restarting", duration_ms=3_000),
            FaultOrder("refuse_stream", duration_ms=3_000),
            FaultOrder("drop_streams", count=1),
            FaultOrder("post_only", duration_ms=120_000, after_ms=3_000),
        ),
        reaction="Posts wait as asked; after the restart post-only orders are sent and no others.",
        links=(ENGINE,),
        tests=(
            WHOLE,
            "tests/unit/simulator/test_faults.py::"
            "test_restart_drops_sockets_then_refuses_then_is_post_only",
        ),
    ),
    Entry(
        number=102,
        name="cancel-only",
        what="New orders are refused by 503, cancels are taken.",
        orders=(FaultOrder("cancel_only"),),
        reaction="Posts wait, longer each time; cancels go on.",
        links=(ERRORS,),
        tests=(WHOLE, MODE_TEST),
    ),
    Entry(
        number=103,
        name="trading-disabled",
        what="Orders and cancels are refused by 503.",
        orders=(FaultOrder("disabled"),),
        reaction="Posts wait and people are alerted; cancels are tried on, and risk stops the "
        "beats so that the venue cancels by itself.",
        links=(ERRORS,),
        tests=(WHOLE, MODE_TEST),
    ),
    Entry(
        number=104,
        name="closed-only",
        what="The account may only close positions.",
        orders=_post("'0x0000000000000000000000000000000000000001' address in closed only mode"),
        reaction="Restricted: everything is cancelled and trading stays halted until an operator "
        "resumes it.",
        links=(ERRORS,),
        tests=(
            REFUSED,
            f"{OUTCOMES}::test_known_text_is_rejected_with_its_reason_by_400_and_in_a_reply",
            *HALTS,
        ),
    ),
    Entry(
        number=105,
        name="banned",
        what="The account is banned.",
        orders=_post("'0x0000000000000000000000000000000000000001' address banned"),
        reaction="As `closed-only`.",
        links=(ERRORS,),
        tests=(REFUSED, HALTS[0]),
    ),
    Entry(
        number=106,
        name="region-blocked",
        what="The address is in a blocked region: the geoblock says so.",
        orders=_geoblock('{"blocked":true,"ip":"203.0.113.42","country":"US","region":"NY"}'),
        reaction="With a market that is restricted, everything is cancelled and trading stays "
        "halted until an operator resumes it.",
        links=(GEOBLOCK,),
        tests=(HALTS[1],),
        lasts_ms=12_000,
    ),
    Entry(
        number=107,
        name="geoblock-unknown",
        what="The geoblock does not answer, or 5xx.",
        orders=_geoblock("upstream error", 502),
        reaction="Unknown is not allowed and not blocked: after some failures or some age trading "
        "pauses, and goes on when there is an answer.",
        links=(GEOBLOCK,),
        tests=(
            "tests/processes/test_switches_venue.py::"
            "test_place_that_nobody_tells_pauses_and_latches_nothing",
        ),
    ),
    Entry(
        number=108,
        name="region-403",
        what="A post is answered 403 with the venue's own words on restricted regions.",
        orders=_post(RESTRICTED, 403),
        reaction="As `edge-403`.",
        links=(GEOBLOCK,),
        tests=(
            REFUSED,
            f"{OUTCOMES}::test_refusal_in_front_of_the_engine_is_rejected_whatever_its_body",
            HALTS[0],
        ),
    ),
    Entry(
        number=109,
        name="market-not-ready",
        what="A new market does not take orders yet.",
        orders=_post("the market is not yet ready to process new orders"),
        reaction="Refused by its own reason, `not_ready`; the intent pauses.",
        links=(ERRORS,),
        tests=(REFUSED,),
    ),
    Entry(
        number=110,
        name="order-timed-out",
        what="A post is answered 500 `order timed out`.",
        orders=_post("order timed out", 500),
        reaction="Refused by its own reason, `timed_out`, as documented; any other text of a 500 "
        "leaves the order UNKNOWN. It is not sent again.",
        links=(ERRORS,),
        tests=(
            REFUSED,
            f"{OUTCOMES}::test_500_refuses_only_with_the_one_text_that_is_documented_so",
        ),
    ),
    Entry(
        number=111,
        name="match-delayed",
        what="A marketable order is answered `delayed`, and judged seconds later.",
        orders=(FaultOrder("delay_match", delay_ms=1_500),),
        reaction="The order counts as open until stream or read say otherwise; a cancel that is "
        "refused meanwhile is repeated.",
        links=(LIFECYCLE,),
        tests=(
            "tests/unit/simulator/test_delays.py::"
            "test_delayed_order_is_answered_at_once_and_matched_later",
        ),
    ),
    Entry(
        number=112,
        name="clock-shifted",
        what="The venue's clock is off by six seconds.",
        orders=(FaultOrder("shift_clock", delay_ms=6_000),),
        reaction="The offset is measured against several sources; more than five seconds halt.",
        links=("https://docs.polymarket.com/api-reference/authentication",),
        tests=("tests/unit/simulator/test_time_server.py::test_shifted_clock_is_told_by_both",),
        later="Our own measuring of clocks is the part that watches the host.",
    ),
    Entry(
        number=113,
        name="answers-truncated",
        what="Answers end in the middle.",
        orders=(FaultOrder("truncate_reply", probability=0.4),),
        reaction="What cannot be read is no answer: posts are UNKNOWN, reads are repeated.",
        links=(NETWORK,),
        tests=(WHOLE, f"{OUTCOMES}::test_answer_200_that_is_garbage_is_unknown"),
    ),
    Entry(
        number=114,
        name="answers-drip",
        what="Answers come byte by byte.",
        orders=(FaultOrder("drip_reply", delay_ms=100),),
        reaction="A deadline is of the whole answer and not of its next byte.",
        links=(NETWORK,),
        tests=(
            "tests/wire/test_simulator_faults.py::test_dripping_answer_meets_the_whole_deadline",
        ),
    ),
    Entry(
        number=115,
        name="replies-lost",
        what="Requests are taken in and never answered, or their connection is reset.",
        orders=(
            FaultOrder("lose_reply", method="POST", path="/order", probability=0.3),
            FaultOrder("reset_reply", method="POST", path="/order", probability=0.3),
        ),
        reaction="UNKNOWN, asked for by its hash, never sent again.",
        links=(NETWORK,),
        tests=(
            WHOLE,
            f"{CORE_ORDERS}::test_order_whose_answer_was_lost_is_looked_up_and_never_resent",
        ),
    ),
    Entry(
        number=116,
        name="levels-lie",
        what="Sizes in changes are wrong.",
        orders=(FaultOrder("lie_level", stream="market", probability=0.2),),
        reaction="The hash does not agree: the book is doubted, its market cancelled, the token "
        "subscribed anew.",
        links=("https://docs.polymarket.com/market-data/realtime-data",),
        tests=(
            WHOLE,
            "tests/unit/venue/test_token_book.py::test_book_that_does_not_agree_in_time_is_doubted",
        ),
    ),
    Entry(
        number=117,
        name="frames-lost",
        what="Single frames are lost; on the price socket that leaves a gap in the numbers.",
        orders=(
            FaultOrder("lose_frames", stream="market", probability=0.1),
            FaultOrder("lose_frames", stream="price", probability=0.2),
        ),
        reaction="A lost change breaks the hash, a lost tick the numbers: both are noticed with "
        "the next frame and answered by a new subscription or connection.",
        links=("https://docs.polymarket.com/api-reference/wss/polybolt",),
        tests=(
            WHOLE,
            "tests/unit/venue/test_token_book.py::test_change_is_proven_by_the_hash_after_it",
        ),
    ),
    Entry(
        number=118,
        name="own-orders-silent",
        what="The user socket takes the subscription and tells nothing.",
        orders=(FaultOrder("silence", stream="user"),),
        reaction="Open orders are read each second and compared: a difference beyond its grace "
        "ends the connection, and what the reads show is told.",
        links=("https://docs.polymarket.com/trading/realtime-order-updates",),
        tests=(
            WHOLE,
            "tests/unit/execution/test_core_switches.py::"
            "test_stale_user_feed_cancels_all_and_resumes_after_reconciliation",
        ),
    ),
    Entry(
        number=119,
        name="address-windows",
        what="Requests above an address's windows wait for their turn.",
        orders=(FaultOrder("delay_request", delay_ms=700, probability=0.5),),
        always="The windows of the documentation, enforced by waiting.",
        reaction="What is late is judged by its deadline; nothing is sent faster for it.",
        links=(WINDOWS,),
        tests=(
            WHOLE,
            "tests/unit/simulator/test_limits.py::"
            "test_request_over_a_window_waits_until_the_oldest_has_left",
        ),
    ),
    Entry(
        number=120,
        name="rates-by-tier",
        what="A signer has so many orders and cancels a second by its tier; a warning mode only "
        "tells.",
        always="Settings `rate_tier` and `rate_warning`; headers Poly-RateLimit-* in answers.",
        reaction="As `rate-limited`.",
        links=(RATES,),
        tests=(
            "tests/unit/simulator/test_limits.py::test_tier_sets_rates_and_headers",
            "tests/unit/simulator/test_limits.py::test_warning_mode_refuses_nothing_and_says_so",
        ),
    ),
    Entry(
        number=121,
        name="tick-change-untold",
        what="The venue changes a market's price step and tells nobody.",
        orders=(FaultOrder("lose_frames", stream="market", event="tick_size_change"),),
        reaction="Posts off the step that is in force are refused; their intents pause for up to "
        "eight seconds, longer each time, until a snapshot tells the step.",
        links=("https://docs.polymarket.com/api-reference/wss/market",),
        tests=(
            "tests/simulation/test_ticks.py::test_system_lives_with_changes_that_nobody_told",
            "tests/unit/execution/test_core_ticks.py::"
            "test_change_that_nobody_told_costs_few_refusals",
        ),
    ),
)

"""Faults of the market and user streams that users have reported."""

from services.simulator.catalogue.entry import Entry, issues
from services.simulator.faults.orders import FaultOrder

NAUTILUS = "nautechsystems/nautilus_trader"
CLIENT = "Polymarket/py-clob-client"
RUST = "Polymarket/rs-clob-client"

WHOLE = "tests/simulation/test_catalogue.py::test_reaction"
REFUSED = "tests/unit/simulator/test_catalogue_answers.py::test_answer_is_understood"
FEED = "tests/unit/feed"
BOOKS = "tests/unit/venue/test_token_book.py"

STREAM_ENTRIES = (
    Entry(
        number=1,
        name="no-first-book",
        what="The market socket takes the subscription and answers PONG, but no book ever comes.",
        orders=(FaultOrder("silence", stream="market"), FaultOrder("refuse", path="/book")),
        reaction="No token counts as fresh: its markets are invalid, their orders are cancelled "
        "and nothing is quoted until a book is proven again.",
        links=issues(CLIENT, 292),
        tests=(WHOLE, f"{FEED}/test_market.py::test_pong_is_no_evidence"),
    ),
    Entry(
        number=2,
        name="silent-asset",
        what="Single assets fall silent while others on the same socket go on.",
        orders=(
            FaultOrder("silence", stream="market", asset="btc"),
            FaultOrder("refuse", path="/book"),
        ),
        reaction="Evidence is kept for each token: the silent ones are asked for by REST, then "
        "count as stale, and their markets are cancelled alone.",
        links=issues(NAUTILUS, 4901),
        tests=(
            WHOLE,
            f"{FEED}/test_market.py::test_frame_is_evidence_for_its_token_alone",
            "tests/unit/execution/test_gate.py::test_market_feed_goes_stale_per_token",
        ),
    ),
    Entry(
        number=3,
        name="zombie-socket",
        what="A socket whose TCP connection lives says nothing at all, not even PONG.",
        orders=(FaultOrder("mute"),),
        reaction="Received frames and PONGs have deadlines: orders are cancelled when evidence is "
        "too old, and the connection is given up for a new one.",
        links=issues(NAUTILUS, 3908),
        tests=(
            WHOLE,
            f"{FEED}/test_connection.py::test_third_missed_pong_ends_the_connection",
            "tests/unit/execution/test_core_switches.py::"
            "test_stale_user_feed_cancels_all_and_resumes_after_reconciliation",
        ),
    ),
    Entry(
        number=4,
        name="books-missing",
        what="With more than 500 tokens on a connection first books are missing.",
        orders=(FaultOrder("lose_frames", stream="market", event="dump"),),
        always="A socket takes 500 tokens, and says nothing of more.",
        reaction="We subscribe 500 at most; a token without a first book has no evidence, is asked "
        "for by REST and subscribed anew.",
        links=issues(NAUTILUS, 2915),
        tests=(f"{BOOKS}::test_book_without_snapshot_is_doubted",),
    ),
    Entry(
        number=5,
        name="level-is-no-touch",
        what="A changed level is not the top of the book, and a touch may be wrong.",
        orders=(FaultOrder("lie_touch", stream="market", probability=0.2),),
        reaction="Quotes come from the folded book alone, which its hash proves; the touch that a "
        "frame tells is not used.",
        links=issues(NAUTILUS, 3905),
        tests=(WHOLE, f"{BOOKS}::test_change_is_proven_by_the_hash_after_it"),
    ),
    Entry(
        number=6,
        name="tick-rebuild",
        what="After a new price step the book must be built anew; a step may change to itself.",
        orders=(FaultOrder("repeat_tick", stream="market", count=20),),
        reaction="A real change starts a new epoch that only a snapshot ends, and orders off the "
        "new grid are cancelled and priced anew; a change to the same step is none.",
        links=issues(NAUTILUS, 3942, 2980),
        tests=(
            WHOLE,
            f"{BOOKS}::test_price_step_that_did_not_change_is_no_change",
            f"{BOOKS}::test_new_price_step_keeps_the_levels_and_the_next_hash_proves_them",
            "tests/unit/execution/test_core_ticks.py::"
            "test_order_off_a_new_tick_is_cancelled_in_the_same_turn_and_repriced",
        ),
    ),
    Entry(
        number=7,
        name="resolution-untold",
        what="`market_resolved` is never delivered.",
        orders=(FaultOrder("lose_frames", stream="market", event="market_resolved"),),
        reaction="Discovery follows ended markets until their winner is known, and positions are "
        "paid out by that.",
        links=issues(RUST, 226),
        tests=(
            f"{FEED}/test_discovery.py::test_ended_market_is_followed_until_its_winner_is_known",
        ),
        lasts_ms=20_000,
    ),
    Entry(
        number=8,
        name="hash-without-last-price",
        what="Books after a trade do not tell the last price that their hash holds.",
        orders=(FaultOrder("corrupt_hash", stream="market", probability=0.3),),
        always="Every book after a trade leaves the last price out.",
        reaction="The last price is kept or searched among those that are possible; a book whose "
        "hash cannot be had is doubted and subscribed anew.",
        links=("https://github.com/Polymarket/py-clob-client/pull/232",),
        tests=(
            WHOLE,
            f"{BOOKS}::test_post_trade_book_is_proven_by_the_searched_last_price",
            f"{BOOKS}::test_book_that_does_not_agree_in_time_is_doubted",
        ),
    ),
    Entry(
        number=9,
        name="mixed-stamps",
        what="Stamps are seconds, milliseconds and strings, by kind of event.",
        orders=(FaultOrder("stamp_seconds", stream="user"),),
        reaction="A stamp is read by its size, so that both are the same moment.",
        links=issues(NAUTILUS, 3273, 3291, 3292),
        tests=(
            WHOLE,
            "tests/unit/venue/test_decimals.py::"
            "test_stamp_in_seconds_and_stamp_in_milliseconds_are_the_same_moment",
        ),
        lasts_ms=4_000,
    ),
    Entry(
        number=10,
        name="text-bucket",
        what="`bucket_index` is a string here and a number there.",
        orders=(FaultOrder("text_bucket", stream="user"),),
        reaction="Both are read.",
        links=issues(NAUTILUS, 2872),
        tests=(
            WHOLE,
            "tests/unit/venue/test_account_wire.py::"
            "test_trade_with_null_hash_and_text_bucket_is_read",
        ),
    ),
    Entry(
        number=11,
        name="prose-status",
        what="A killed order's status is CANCELED_ and prose, and its sizes are empty.",
        orders=(FaultOrder("prose_status", stream="user"),),
        reaction="Whatever begins so has ended; empty sizes are unknown and not 0.",
        links=issues(NAUTILUS, 3987),
        tests=(
            WHOLE,
            "tests/unit/venue/test_streams_wire.py::"
            "test_killed_order_with_prose_for_a_status_is_read",
        ),
        lasts_ms=4_000,
    ),
    Entry(
        number=12,
        name="canceled-then-filled",
        what="An order's end comes as UPDATE with status CANCELED, and its trade after that.",
        orders=(
            FaultOrder("update_canceled", stream="user"),
            FaultOrder("delay_frames", stream="user", event="trade", delay_ms=400),
        ),
        reaction="The status counts and not the type; a fill after the end changes size and "
        "position and does not revive the order.",
        links=issues(NAUTILUS, 3797),
        tests=(
            WHOLE,
            "tests/unit/execution/test_lifecycle.py::"
            "test_late_fill_of_a_terminal_order_changes_its_size_only",
        ),
        lasts_ms=9_000,
    ),
    Entry(
        number=13,
        name="events-cross",
        what="Order and trade events come in any order, some twice, some before the answer to "
        "the post.",
        orders=(
            FaultOrder(
                "delay_frames", stream="user", event="PLACEMENT", delay_ms=250, probability=0.5
            ),
            FaultOrder(
                "delay_frames", stream="user", event="UPDATE", delay_ms=150, probability=0.5
            ),
            FaultOrder("double_frames", stream="user", probability=0.5),
            FaultOrder("delay_reply", method="POST", path="/order", delay_ms=300),
        ),
        reaction="Sizes and states only go forward, trades count once by trade and order, and an "
        "order is known by its hash before any answer.",
        links=issues(NAUTILUS, 3770),
        tests=(
            WHOLE,
            f"{FEED}/test_own_orders.py::test_placement_after_the_end_does_not_revive_an_order",
            "tests/unit/execution/test_lifecycle.py::test_filled_never_shrinks",
        ),
        lasts_ms=5_000,
    ),
    Entry(
        number=14,
        name="complement-fills",
        what="A maker's fill may be on the other token with the other side, several in one trade, "
        "and the trade is told again with each status.",
        orders=(FaultOrder("double_frames", stream="user", event="trade"),),
        always="Mints and merges match makers on the other token; every status tells the trade.",
        reaction="Each leg is our own entry of the trade, counted once by trade and order.",
        links=issues(NAUTILUS, 3450, 3172, 3345, 3357, 3126, 3077),
        tests=(
            WHOLE,
            "tests/unit/execution/test_core_orders.py::"
            "test_fill_counts_once_however_often_it_is_told",
        ),
    ),
)

"""Faults of the engine's answers, of access, discovery and prices that users have reported."""

from services.simulator.catalogue.entry import Entry, issues
from services.simulator.catalogue.orders import CORE_ORDERS, OUTCOMES
from services.simulator.catalogue.streams import CLIENT, FEED, NAUTILUS, REFUSED, RUST, WHOLE
from services.simulator.faults.orders import FaultOrder

REAL_TIME = "Polymarket/real-time-data-client"
EXECUTION = "could not run the execution"
FORBIDDEN_PAGE = "<html><head><title>403 Forbidden</title></head><body>cloudflare</body></html>"

ACCESS_ENTRIES = (
    Entry(
        number=34,
        name="execution-failed",
        what="Posts are answered 500 `could not run the execution` in bursts; the order may or "
        "may not have been taken.",
        orders=(
            FaultOrder(
                "refuse", method="POST", path="/order", status=500, text=EXECUTION, probability=0.3
            ),
            FaultOrder(
                "replace_reply",
                method="POST",
                path="/order",
                status=500,
                text=EXECUTION,
                probability=0.4,
            ),
        ),
        reaction="The order is UNKNOWN, holds its money and its intent, is asked for by its hash "
        "and never sent again.",
        links=issues(CLIENT, 331),
        tests=(WHOLE, f"{OUTCOMES}::test_server_error_is_unknown_whatever_it_says"),
    ),
    Entry(
        number=35,
        name="service-not-ready",
        what="Orders and cancels fail with `Service is not ready` while the engine restarts.",
        orders=(FaultOrder("restarting"),),
        reaction="Posts wait, longer each time; cancels are tried on; risk pauses when its own "
        "cancels are refused.",
        links=issues(CLIENT, 286),
        tests=(
            WHOLE,
            "tests/unit/venue/test_outcomes.py::test_503_is_rejected_only_with_the_text_of_a_mode",
        ),
    ),
    Entry(
        number=36,
        name="version-mismatch",
        what="The client signs for an older exchange than the server has.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text="order_version_mismatch"),),
        always="An order for the wrong exchange is refused so.",
        reaction="Refused by its own reason, `version`; the intent pauses.",
        links=issues("Polymarket/polymarket-cli", 69),
        tests=(
            REFUSED,
            "tests/unit/venue/test_order_hash.py::test_market_version_and_kind_choose_the_exchange",
        ),
    ),
    Entry(
        number=37,
        name="wrong-exchange",
        what="An order of a negative-risk market signed for the standard exchange.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text="invalid signature"),),
        reaction="Version and kind of the market choose the exchange; a refusal is `signature`.",
        links=issues(CLIENT, 79, 94, 264),
        tests=(
            REFUSED,
            "tests/unit/venue/test_order_hash.py::test_market_version_and_kind_choose_the_exchange",
        ),
    ),
    Entry(
        number=38,
        name="slow-posts",
        what="A slow post cannot be aborted.",
        orders=(FaultOrder("delay_reply", method="POST", path="/order", delay_ms=4_000),),
        reaction="Each post has a deadline of its own; then the order is UNKNOWN and found by its "
        "hash, which is known before sending.",
        links=issues("Polymarket/clob-client", 244),
        tests=(
            WHOLE,
            f"{CORE_ORDERS}::test_order_whose_answer_was_lost_is_looked_up_and_never_resent",
        ),
    ),
    Entry(
        number=39,
        name="beats-fight",
        what="A second session of the key beats too, and the ids of each refuse the other's.",
        orders=(FaultOrder("fight_beats", probability=0.5),),
        reaction="A refused beat names the id that is expected, and the next one carries it; what "
        "is not acknowledged ends trading by its send time.",
        links=issues(RUST, 239),
        tests=(
            WHOLE,
            "tests/unit/risk/test_dead_man.py::test_beat_without_an_answer_does_not_extend_the_admission",
        ),
    ),
    Entry(
        number=40,
        name="fee-fields-lie",
        what="`fee_rate_bps` of orders and trades is a cap, or 0, and not the fee.",
        always="Trades show the cap.",
        reaction="Fees are computed from the market's schedule and not from that field.",
        links=issues(NAUTILUS, 3860, 3838),
        tests=("tests/unit/venue/test_rules.py::test_fee_is_none_at_the_ends_and_without_a_rate",),
    ),
    Entry(
        number=41,
        name="edge-403",
        what="The edge refuses posts with a page of HTML.",
        orders=(
            FaultOrder("refuse", method="POST", path="/order", status=403, text=FORBIDDEN_PAGE),
        ),
        reaction="403 means restricted: everything is cancelled and trading stays halted until an "
        "operator resumes it.",
        links=(
            *issues(CLIENT, 91, 101, 143, 152, 262),
            *issues("Polymarket/clob-client", 231, 262),
        ),
        tests=(
            WHOLE,
            f"{OUTCOMES}::test_refusal_in_front_of_the_engine_is_rejected_whatever_its_body",
            "tests/unit/risk/test_restricted.py::"
            "test_answer_to_a_request_of_risk_latches_and_resume_waits_for_it_to_end",
        ),
    ),
    Entry(
        number=42,
        name="lists-capped",
        what="Lists of discovery end after 100 rows and do not say so.",
        orders=(
            FaultOrder("cap_list", method="GET", path="/markets", rows=1),
            FaultOrder("cap_list", method="GET", path="/events", rows=1),
        ),
        reaction="Windows are found by their computed slugs and not by lists.",
        links=issues(NAUTILUS, 4086),
        tests=(
            WHOLE,
            f"{FEED}/test_discovery.py::test_running_and_next_window_are_found_by_their_computed_slugs",
        ),
    ),
    Entry(
        number=43,
        name="new-tokens-unknown",
        what="Directly after a listing the CLOB does not know the new tokens.",
        orders=(
            FaultOrder(
                "refuse",
                method="GET",
                path="/book",
                status=404,
                text="No orderbook exists for the requested token id",
            ),
        ),
        reaction="A read that finds nothing proves nothing; the stream's books go on.",
        links=issues(NAUTILUS, 4050, 3900),
        tests=(f"{FEED}/test_market_witness.py::test_failed_witness_is_asked_again",),
    ),
    Entry(
        number=44,
        name="prices-silent",
        what="The price sockets go silent with the connections open.",
        orders=(FaultOrder("silence", stream="price"), FaultOrder("silence", stream="rtds")),
        reaction="Nothing is placed without a fresh settlement price, orders are cancelled when "
        "it stays away, and the connection is given up for a new one.",
        links=issues(REAL_TIME, 26, 35, 42),
        tests=(
            WHOLE,
            f"{FEED}/test_price.py::test_silent_connection_is_given_up",
            "tests/unit/execution/test_core_switches.py::"
            "test_silent_oracle_pauses_at_three_and_cancels_at_ten_seconds",
        ),
        lasts_ms=5_000,
    ),
    Entry(
        number=45,
        name="filters-by-text",
        what="The old price socket compares filters as text: a space in them means silence.",
        orders=(FaultOrder("lose_frames", stream="rtds"),),
        reaction="Our filters are compact; a socket that tells nothing is opened anew, and the "
        "other one carries.",
        links=issues(REAL_TIME, 34),
        tests=(
            f"{FEED}/test_price_sockets.py::"
            "test_older_socket_is_subscribed_to_the_oracle_alone_without_a_space",
            f"{FEED}/test_price_sockets.py::test_silent_older_socket_is_opened_anew",
        ),
    ),
    Entry(
        number=46,
        name="addresses-drifted",
        what="Contract addresses of third parties were those of the version before.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text="invalid signature"),),
        reaction="Addresses are ours, compared with the official builders'; a refusal is "
        "`signature`.",
        links=issues("pmxt-dev/pmxt", 436),
        tests=(
            REFUSED,
            "tests/properties/test_venue_order_hash.py::test_order_hash_equals_the_official_builders",
        ),
    ),
    Entry(
        number=47,
        name="adapter-allowance",
        what="Buys of negative-risk markets want the allowance of an adapter of the version "
        "before.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="not enough balance / allowance: the allowance is not enough -> spender: "
                "0xd91e80cf2e7be2e162c6513ced06f1dd0da35296, allowance: 0, order amount: 5000000",
            ),
        ),
        reaction="Refused by its own reason, `allowance`; the intent pauses.",
        links=("https://docs.polymarket.com/resources/contracts",),
        tests=(REFUSED,),
        later="The allowances themselves are checked when settlement on chain exists.",
    ),
    Entry(
        number=48,
        name="lagging-books",
        what="Reads of books are seconds behind the stream, and lists have an order of their own.",
        orders=(FaultOrder("lag_book", path="/book", delay_ms=2_000),),
        always="`/books` answers in an order of its own, and books are worst price first.",
        reaction="A read that is older than the stream changes nothing; one that disagrees again "
        "and again makes the token subscribed anew.",
        links=("https://docs.polymarket.com/market-data/realtime-data",),
        tests=(
            "tests/unit/venue/test_token_book.py::test_older_snapshot_by_request_changes_nothing",
        ),
    ),
    Entry(
        number=49,
        name="trade-before-reply",
        what="An order's trade is told before the answer to its post.",
        orders=(FaultOrder("delay_reply", method="POST", path="/order", delay_ms=900),),
        always="A refused leg of a batch in post-only mode says success with an empty id; an "
        "expiry looks like a cancel.",
        reaction="The order is known by its hash before it is sent, so its events count at once.",
        links=(
            "https://github.com/nautechsystems/nautilus_trader/blob/develop/docs/integrations/"
            "polymarket.md",
        ),
        tests=(WHOLE, f"{CORE_ORDERS}::test_fill_counts_once_however_often_it_is_told"),
    ),
    Entry(
        number=50,
        name="rate-limited",
        what="Posts and cancels above the tier's rates are answered 429.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                status=429,
                text="Too Many Requests",
                retry_after_s=1,
            ),
        ),
        always="Token buckets of the signer by tier, told in the answers' headers.",
        reaction="Posts halve their rate and wait as asked; cancels keep a share of the rate to "
        "themselves and are repeated.",
        links=("https://dev.to/abrownfox001/clob-v2-rate-tiers-and-the-sdk-cutover-1lhh",),
        tests=(
            WHOLE,
            "tests/unit/execution/test_small_nouns.py::"
            "test_refusal_halves_the_rate_which_recovers_in_five_minutes",
            "tests/unit/execution/test_core_switches.py::"
            "test_cancel_refused_by_429_is_repeated_within_a_quarter_second",
        ),
    ),
)

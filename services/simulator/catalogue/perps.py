"""Faults of the other venue, whose perpetual futures are read (Hyperliquid)."""

from services.simulator.catalogue.entry import Entry, issues
from services.simulator.faults.orders import FaultOrder

NAUTILUS = "nautechsystems/nautilus_trader"
SUBSCRIPTIONS = (
    "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"
)
FUNDING = "https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding"
FEED = "tests/unit/feed/test_perp.py"
RISK = "tests/unit/risk/test_abnormal_perps.py"
VENUE = "tests/unit/simulator/test_perps.py"
GROUP = "tests/processes/test_feeds_perps.py"

PERP_ENTRIES = (
    Entry(
        number=201,
        name="perp-book-silent",
        what="One stream of a socket stops while the others and its pongs go on.",
        orders=(FaultOrder("silence", stream="perp", asset="l2Book"),),
        reaction="Each stream has evidence of its own; the connection is given up for a new one, "
        "and the level is REDUCED meanwhile.",
        links=issues(NAUTILUS, 4298),
        tests=(
            f"{FEED}::test_one_silent_stream_gives_the_connection_up_though_pongs_come",
            f"{VENUE}::test_one_channel_falls_silent_while_pongs_come",
        ),
        lasts_ms=20_000,
    ),
    Entry(
        number=202,
        name="perps-silent",
        what="The whole socket stops while its pongs go on.",
        orders=(FaultOrder("silence", stream="perp"),),
        reaction="The level is REDUCED; strategies trade on, since no order rests on it.",
        links=issues(NAUTILUS, 4298),
        tests=(
            f"{GROUP}::test_feed_that_is_silent_or_gone_lowers_the_level_and_trading_goes_on",
            "tests/simulation/test_perps.py::"
            "test_silence_and_nonsense_of_perpetuals_are_seen_and_stop_nothing",
        ),
        lasts_ms=20_000,
    ),
    Entry(
        number=203,
        name="perp-interest-negative",
        what="Open interest is told below zero.",
        orders=(FaultOrder("negate_interest", stream="perp"),),
        reaction="The frame is refused and counted, and is no evidence (DQ-7).",
        links=(SUBSCRIPTIONS,),
        tests=(f"{FEED}::test_negative_open_interest_is_refused_counted_and_no_evidence",),
    ),
    Entry(
        number=204,
        name="perp-price-wrong",
        what="Mark price, book and trades of the socket jump, while answers tell the true price.",
        orders=(FaultOrder("move_price", event="perp", percent=25),),
        reaction="The asset rests; two answers that contradict make it an error, which is read "
        "anew over another connection before anything goes on (CB-3).",
        links=(SUBSCRIPTIONS,),
        tests=(
            f"{RISK}::test_error_is_read_anew_over_another_connection_before_anything_goes_on",
            f"{GROUP}::test_error_of_the_socket_alone_is_read_anew_before_anything_goes_on",
        ),
        lasts_ms=10_000,
    ),
    Entry(
        number=205,
        name="perp-funding-extreme",
        what="Funding is thirty times the usual.",
        orders=(FaultOrder("scale_perp", event="funding", percent=3_000),),
        reaction="The asset rests for a minute, and goes on once an answer confirms it (CB-3).",
        links=(FUNDING,),
        tests=(
            f"{RISK}::test_what_is_real_rests_a_minute_and_is_then_the_usual",
            f"{GROUP}::test_funding_that_answers_confirm_rests_the_asset_and_goes_on",
        ),
        lasts_ms=10_000,
    ),
    Entry(
        number=206,
        name="perp-depth-gone",
        what="The book keeps a fiftieth of its depth.",
        orders=(FaultOrder("scale_perp", event="depth", percent=-98),),
        reaction="The asset rests for a minute, and goes on once an answer confirms it (CB-3).",
        links=(SUBSCRIPTIONS,),
        tests=(
            f"{RISK}::test_depth_is_abnormal_when_more_than_95_percent_are_gone",
            f"{GROUP}::test_depth_that_is_gone_rests_the_asset_and_goes_on",
        ),
        lasts_ms=10_000,
    ),
    Entry(
        number=207,
        name="perp-interest-swings",
        what="Open interest loses 60 percent at once.",
        orders=(FaultOrder("scale_perp", event="interest", percent=-60),),
        reaction="Used only once what the venue answers when asked tells it too (DQ-7).",
        links=(SUBSCRIPTIONS,),
        tests=(
            "tests/unit/state/quality/test_perps.py::"
            "test_open_interest_that_halves_is_used_only_when_a_read_tells_it_too",
        ),
    ),
)

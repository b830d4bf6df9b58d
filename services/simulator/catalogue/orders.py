"""Faults of orders and settlement that users have reported, up to reads and answers."""

from services.simulator.catalogue.entry import Entry, issues
from services.simulator.catalogue.streams import CLIENT, NAUTILUS, REFUSED, RUST, WHOLE
from services.simulator.faults.orders import FaultOrder

CLIENT_V2 = "Polymarket/py-clob-client-v2"
OUTCOMES = "tests/unit/venue/test_outcomes.py"
CORE_ORDERS = "tests/unit/execution/test_core_orders.py"
BALANCE_TEXT = (
    "not enough balance / allowance: the balance is not enough -> balance: 0, order amount: 5000000"
)
ON_CHAIN = "Redeeming what settles late belongs to settlement on chain."

ORDER_ENTRIES = (
    Entry(
        number=15,
        name="slow-settlement",
        what="A match settles ten to fifty seconds later; until then nothing has moved.",
        orders=(
            FaultOrder("hold_broadcast", delay_ms=2_000),
            FaultOrder("slow_settlement", delay_ms=8_000),
        ),
        reaction="A matched trade counts in the position at once, so that nothing is bought twice; "
        "what is mined and confirmed is counted apart.",
        links=issues(CLIENT_V2, 34),
        tests=(WHOLE, f"{CORE_ORDERS}::test_fill_counts_once_however_often_it_is_told"),
        later=ON_CHAIN,
        lasts_ms=10_000,
    ),
    Entry(
        number=16,
        name="ghost-fills",
        what="Trades end FAILED, most of all those that the client would have gained by.",
        orders=(
            FaultOrder("retry_settlement", probability=0.5),
            FaultOrder("fail_settlement", probability=0.3),
            FaultOrder("fail_winners", probability=0.7),
        ),
        reaction="A failed trade is taken back from position and cost, and neither end ever "
        "changes again.",
        links=issues(CLIENT, 338),
        tests=(WHOLE, f"{CORE_ORDERS}::test_failed_trade_is_taken_back"),
        lasts_ms=10_000,
    ),
    Entry(
        number=17,
        name="sell-after-buy",
        what="A sale directly after a fill finds not enough balance.",
        orders=(
            FaultOrder(
                "refuse", method="POST", path="/order", body='"side":"SELL"', text=BALANCE_TEXT
            ),
        ),
        always="What was bought arrives when its trade is mined.",
        reaction="The refusal is final for that order; its intent pauses and the next wish is "
        "judged anew.",
        links=issues(CLIENT, 290),
        tests=(REFUSED, f"{CORE_ORDERS}::test_refused_order_leaves_at_once_and_its_intent_pauses"),
    ),
    Entry(
        number=18,
        name="balance-cache",
        what="The venue's cached balance is too small for weeks, though approvals are right.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text=BALANCE_TEXT),),
        reaction="Every post is refused; intents pause for longer and longer, and the position "
        "stays as it was.",
        links=issues(CLIENT, 287),
        tests=(REFUSED, f"{CORE_ORDERS}::test_refused_order_leaves_at_once_and_its_intent_pauses"),
    ),
    Entry(
        number=19,
        name="zero-balance",
        what="The balance of a token reads 0 directly after it was bought.",
        orders=(
            FaultOrder(
                "refuse",
                method="GET",
                path="/balance-allowance",
                query="asset_type=CONDITIONAL",
                status=200,
                text='{"balance":"0","allowances":{}}',
            ),
        ),
        reaction="Positions come from trades and not from this read, so nothing changes.",
        links=issues(CLIENT, 274),
        tests=(),
        later="A check of balances against positions reads them when settlement on chain exists.",
    ),
    Entry(
        number=20,
        name="wrong-funder",
        what="A wrong signature type or funder reads as balance 0 or as no allowance.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="not enough balance / allowance: the allowance is not enough -> spender: "
                "0x0000000000000000000000000000000000000000, allowance: 0, order amount: 5000000",
            ),
        ),
        reaction="Refused by its own reason, `allowance`; the intent pauses.",
        links=issues(CLIENT, 109, 93, 319),
        tests=(
            REFUSED,
            f"{OUTCOMES}::test_known_text_is_rejected_with_its_reason_by_400_and_in_a_reply",
        ),
    ),
    Entry(
        number=21,
        name="maker-refused",
        what="New accounts: an EOA, proxy or safe as maker is refused.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="maker address not allowed, please use the deposit wallet flow",
            ),
        ),
        reaction="Refused by its own reason, `wallet`; the intent pauses.",
        links=(*issues(CLIENT_V2, 53, 51, 52, 61, 116), *issues("Polymarket/py-sdk", 136)),
        tests=(REFUSED,),
    ),
    Entry(
        number=22,
        name="wallet-not-deployed",
        what="Before its deposit wallet is deployed an account's orders have the wrong signer.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="the order signer address has to be the address of the API KEY",
            ),
        ),
        reaction="Refused by its own reason, `owner`; the intent pauses.",
        links=issues(CLIENT_V2, 64, 70),
        tests=(REFUSED,),
    ),
    Entry(
        number=23,
        name="foreign-key",
        what="The exported key of an email account cannot sign for it.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text="invalid signature"),),
        always="Who did not sign is refused.",
        reaction="Refused by its own reason, `signature`; the intent pauses.",
        links=issues(CLIENT_V2, 56),
        tests=(
            REFUSED,
            "tests/unit/simulator/test_placement.py::test_order_changed_after_signing_is_refused",
        ),
    ),
    Entry(
        number=24,
        name="key-of-the-eoa",
        what="The attestation of a key is not wrapped: the key belongs to the EOA.",
        always="Keys are made and found by the address that signed the attestation.",
        reaction="We attest with the EOA and sign orders for the maker's wallet.",
        links=issues("Polymarket/clob-client-v2", 65),
        tests=(
            "tests/unit/venue/test_auth.py::test_attestation_digest_is_the_one_the_official_client_signs",
        ),
    ),
    Entry(
        number=25,
        name="fine-tick-amounts",
        what="At fine ticks amounts have too many decimals, and market orders are refused.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="invalid amounts, the market buy orders maker amount supports a max accuracy "
                "of 2 decimals, taker amount a max of 4 decimals",
            ),
        ),
        always="Market orders with more than 2 and 4 decimals are refused.",
        reaction="Our amounts are whole numbers cut to the cap; a refusal is `precision`.",
        links=issues(CLIENT_V2, 99),
        tests=(
            REFUSED,
            "tests/unit/venue/test_amounts.py::"
            "test_market_amounts_respect_the_flat_cap_at_the_finest_tick",
        ),
    ),
    Entry(
        number=26,
        name="rounded-off-the-touch",
        what="A protected market buy is rounded so that it can never match.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="no orders found to match with FAK order. FAK orders are partially filled or "
                "killed if no match is found.",
            ),
        ),
        always="A FAK below the touch finds nothing.",
        reaction="Our amounts still imply the price they were made for; a killed order is "
        "`not_filled`.",
        links=issues("Polymarket/py-sdk", 291),
        tests=(
            REFUSED,
            "tests/unit/venue/test_amounts.py::"
            "test_market_buy_at_the_touch_still_implies_the_touch",
        ),
    ),
    Entry(
        number=27,
        name="float-amounts",
        what="Amounts made with floating point are refused.",
        orders=(FaultOrder("refuse", method="POST", path="/order", text="Invalid order payload"),),
        always="Uneven amounts and sizes finer than a hundredth are refused.",
        reaction="No float is in our amounts; a refusal is `payload`.",
        links=issues(CLIENT, 121, 253, 305),
        tests=(
            REFUSED,
            "tests/properties/test_venue_amounts.py::test_limit_amounts_say_the_price_that_they_were_made_from",
        ),
    ),
    Entry(
        number=28,
        name="success-without-id",
        what="A post is answered 200 with success, an error text and no order id.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                status=200,
                text='{"success":true,"errorMsg":"order match delayed due to market conditions",'
                '"orderID":"","status":"","makingAmount":"","takingAmount":""}',
            ),
        ),
        reaction="Success alone is never believed: with a text that leaves it open the order is "
        "UNKNOWN and asked for by its hash, never sent again.",
        links=issues(RUST, 114),
        tests=(
            WHOLE,
            f"{OUTCOMES}::"
            "test_success_with_an_error_and_no_id_is_rejected_as_the_venue_does_in_post_only_mode",
        ),
        lasts_ms=6_000,
    ),
    Entry(
        number=29,
        name="overfilled-fok",
        what="A FOK buy spends its money, so that a better price gives more shares than asked.",
        always="FOK and FAK buys spend money.",
        reaction="Positions count what was traded and not what was asked.",
        links=(*issues(NAUTILUS, 3221), *issues("Polymarket/clob-client", 134)),
        tests=(
            "tests/unit/simulator/test_matching.py::test_buyer_by_money_gets_more_shares_at_a_better_price",
        ),
    ),
    Entry(
        number=30,
        name="two-minimums",
        what="What takes must be worth a dollar, what rests must be five shares.",
        orders=(
            FaultOrder(
                "refuse",
                method="POST",
                path="/order",
                text="invalid amount for a marketable BUY order ($0.5), min size: $1",
            ),
        ),
        always="Both are enforced.",
        reaction="Our checks know both before anything is sent; a refusal is `min_value`.",
        links=issues(NAUTILUS, 3874),
        tests=(
            REFUSED,
            "tests/unit/execution/test_order_checks.py::test_size_must_be_signable_and_reach_the_minimum",
        ),
    ),
    Entry(
        number=31,
        name="ended-orders-hidden",
        what="The read of a single order that has ended returns nothing.",
        orders=(
            FaultOrder("hide_ended", method="GET", path="/data/order/"),
            FaultOrder("lose_reply", method="POST", path="/order", probability=0.5),
        ),
        reaction="Nothing is no word on it: the order stays UNKNOWN until its deadline, and its "
        "trades are found by the read of trades.",
        links=issues(NAUTILUS, 4024),
        tests=(
            WHOLE,
            "tests/unit/execution/test_core.py::test_not_found_before_the_deadline_resolves_nothing",
        ),
    ),
    Entry(
        number=32,
        name="cancel-without-size",
        what="The answer to a cancel has ids and no filled size.",
        always="That is its form.",
        reaction="A cancelled order's size is what trades say.",
        links=issues(CLIENT, 316),
        tests=(
            "tests/unit/execution/test_lifecycle.py::"
            "test_late_fill_of_a_terminal_order_changes_its_size_only",
        ),
    ),
    Entry(
        number=33,
        name="bare-lists",
        what="Open orders are an array here and a page there.",
        orders=(FaultOrder("bare_list", method="GET", path="/data/orders"),),
        reaction="What is no page is no answer, and never an empty list: reads are repeated, and "
        "nothing is taken as gone.",
        links=issues("pmxt-dev/pmxt", 792),
        tests=(
            WHOLE,
            "tests/unit/venue/test_account_wire.py::"
            "test_answer_that_is_no_page_is_malformed_and_not_an_empty_list",
        ),
    ),
)

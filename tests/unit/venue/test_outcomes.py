import pytest

from shared.identifiers import OrderHash, TradeId
from shared.venue import outcomes
from shared.venue.outcomes import Accepted, Rejected, Unknown, judge_batch, judge_post
from shared.venue.refusals import Doubt, Refusal
from tests.builders.post_replies import ORDER, OTHER, body, error, make_refusal, make_reply

THIRD = OrderHash("0x" + "ef" * 32)


@pytest.mark.parametrize("status", ["live", "matched", "delayed", "unmatched"])
def test_order_is_accepted_when_every_part_of_the_answer_says_so(status: str) -> None:
    found = judge_post(200, body(make_reply(status=status, tradeIDs=["t1"])), ORDER)
    assert found == Accepted(ORDER, status, (TradeId("t1"),), "", "")


def test_order_id_is_compared_whatever_its_case() -> None:
    reply = make_reply(orderID="0x" + "AB" * 32)
    assert isinstance(judge_post(200, body(reply), ORDER), Accepted)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"success": None}, Doubt.GARBLED),
        ({"success": False}, Doubt.CONTRADICTORY),
        ({"orderID": ""}, Doubt.CONTRADICTORY),
        ({"orderID": None}, Doubt.CONTRADICTORY),
        ({"orderID": OTHER}, Doubt.CONTRADICTORY),
        ({"status": ""}, Doubt.UNRECOGNISED),
        ({"status": "brand_new"}, Doubt.UNRECOGNISED),
        ({"errorMsg": "not enough balance / allowance"}, Doubt.CONTRADICTORY),
        ({"errorMsg": "not enough balance / allowance", "status": ""}, Doubt.CONTRADICTORY),
        ({"errorMsg": "not enough balance / allowance", "orderID": ""}, Doubt.CONTRADICTORY),
        ({"success": 1}, Doubt.GARBLED),
        ({"tradeIDs": "t1"}, Doubt.GARBLED),
    ],
)
def test_one_part_of_an_answer_that_disagrees_makes_it_unknown(
    spoilt: dict[str, object], why: Doubt
) -> None:
    found = judge_post(200, body(make_reply(**spoilt)), ORDER)
    assert isinstance(found, Unknown)
    assert found.why is why


@pytest.mark.parametrize("key", ["success", "orderID", "status"])
def test_answer_without_a_needed_key_is_unknown(key: str) -> None:
    reply = {name: value for name, value in make_reply().items() if name != key}
    assert isinstance(judge_post(200, body(reply), ORDER), Unknown)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"OK",
        b"<html><body>200</body></html>",
        body(make_reply())[:-20],
        b"\xff\xfe",
        b"{}",
    ],
)
def test_answer_200_that_is_garbage_is_unknown(raw: bytes) -> None:
    found = judge_post(200, raw, ORDER)
    assert isinstance(found, Unknown)
    assert found.why is Doubt.GARBLED


def test_success_with_an_error_and_no_id_is_rejected_as_the_venue_does_in_post_only_mode() -> None:
    """https://github.com/Polymarket/rs-clob-client/issues/114."""
    reply = make_reply(errorMsg="post-only mode: only post-only orders", orderID="", status="")
    found = judge_post(200, body(reply), ORDER)
    assert isinstance(found, Rejected)
    assert found.reason is Refusal.POST_ONLY_MODE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("invalid post-only order: order crosses book", Refusal.POST_ONLY_WOULD_CROSS),
        (f"order {ORDER} crosses the book", Refusal.POST_ONLY_WOULD_CROSS),
        (
            f"order {ORDER} is invalid. Price (0.045) breaks minimum tick size rule: 0.01",
            Refusal.TICK,
        ),
        (f"order {ORDER} is invalid. Size (4) lower than the minimum: 5", Refusal.MIN_SIZE),
        ("invalid amount for a marketable BUY order ($0.5), min size: $1", Refusal.MIN_VALUE),
        (
            "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 "
            "decimals, taker amount a max of 4 decimals",
            Refusal.PRECISION,
        ),
        (
            "not enough balance / allowance: the balance is not enough -> balance: 1, order "
            "amount: 2",
            Refusal.BALANCE,
        ),
        (
            "not enough balance / allowance: the allowance is not enough -> spender: 0x1, "
            "allowance: 0, order amount: 2",
            Refusal.ALLOWANCE,
        ),
        ("invalid expiration", Refusal.EXPIRATION),
        (
            "order couldn't be fully filled. FOK orders are fully filled or killed.",
            Refusal.NOT_FILLED,
        ),
        ("the market is not yet ready to process new orders", Refusal.NOT_READY),
        ("No orderbook exists for the requested token id", Refusal.MARKET_GONE),
        ("order canceled in the CTF exchange contract", Refusal.CANCELED_ON_CHAIN),
        ("order_version_mismatch", Refusal.VERSION),
        ("the order signer address has to be the address of the API KEY", Refusal.OWNER),
        ("maker address not allowed, please use the deposit wallet flow", Refusal.WALLET),
        ("'0x01' address banned", Refusal.BANNED),
        ("'0x01' address in closed only mode", Refusal.CLOSED_ONLY),
        ("Too many orders in payload: 16, max allowed: 15", Refusal.PAYLOAD),
        ("Rate limit exceeded for tokenId: 1", Refusal.RATE_LIMITED),
    ],
)
def test_known_text_is_rejected_with_its_reason_by_400_and_in_a_reply(
    text: str, reason: Refusal
) -> None:
    assert judge_post(400, error(text), ORDER) == Rejected(reason, text)
    assert judge_post(200, body(make_refusal(text)), ORDER) == Rejected(reason, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"order {ORDER} is invalid. Duplicated.", Doubt.DUPLICATED),
        ("order match delayed due to market conditions", Doubt.AMBIGUOUS),
        ("could not run the execution", Doubt.AMBIGUOUS),
        ("order timed out", Doubt.AMBIGUOUS),
        ("context canceled", Doubt.AMBIGUOUS),
        ("something that nobody has ever seen", Doubt.UNRECOGNISED),
    ],
)
def test_text_that_leaves_the_fate_open_is_unknown_by_400_and_in_a_reply(
    text: str, why: Doubt
) -> None:
    assert judge_post(400, error(text), ORDER) == Unknown(why, text)
    assert judge_post(200, body(make_refusal(text)), ORDER) == Unknown(why, text)


@pytest.mark.parametrize("status", [500, 502, 504, 520, 524])
@pytest.mark.parametrize(
    "text",
    ["could not run the execution", "could not insert order", "not enough balance / allowance"],
)
def test_server_error_is_unknown_whatever_it_says(status: int, text: str) -> None:
    found = judge_post(status, error(text), ORDER)
    assert isinstance(found, Unknown)
    assert found.why is Doubt.SERVER_ERROR
    assert text in found.text


@pytest.mark.req("EX-4", "EX-2")
def test_500_refuses_only_with_the_one_text_that_is_documented_so() -> None:
    assert judge_post(500, error("order timed out"), ORDER) == Rejected(
        Refusal.TIMED_OUT, "order timed out"
    )
    for status, text in [(502, "order timed out"), (500, "the order timed out upstream")]:
        assert isinstance(judge_post(status, error(text), ORDER), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 425, 429])
def test_refusal_about_another_order_refuses_nothing(status: int) -> None:
    text = f"order {OTHER} is invalid. Size (4) lower than the minimum: 5"
    assert isinstance(judge_post(status, error(text), ORDER), Unknown)
    assert isinstance(judge_post(200, body(make_refusal(text)), ORDER), Unknown)


@pytest.mark.parametrize("status", [401, 403, 425, 429])
def test_refusing_status_with_an_answer_that_names_the_order_is_unknown(status: int) -> None:
    assert isinstance(judge_post(status, body(make_reply()), ORDER), Unknown)
    assert isinstance(judge_post(status, error("order is invalid. Duplicated."), ORDER), Unknown)


def test_rate_refusal_of_one_order_is_rejected_although_its_status_is_delayed() -> None:
    """The OpenAPI of 2026-09-28 shows it so, as one entry of a batch."""
    entry = make_refusal("Rate limit exceeded for tokenId: 1") | {"status": "delayed"}
    first, second = judge_batch(200, body([entry, make_reply(orderID=OTHER)]), (ORDER, OTHER))
    assert isinstance(first, Rejected)
    assert first.reason is Refusal.RATE_LIMITED
    assert isinstance(second, Accepted)


@pytest.mark.parametrize(
    "status", [100, 201, 204, 301, 302, 400, 404, 408, 409, 413, 500, 502, 503]
)
def test_html_from_something_in_between_is_unknown(status: int) -> None:
    found = judge_post(status, b"<html>hello</html>", ORDER)
    assert isinstance(found, Unknown)
    assert found.why is Doubt.GARBLED


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Refusal.UNAUTHORISED),
        (403, Refusal.RESTRICTED),
        (425, Refusal.RESTARTING),
        (429, Refusal.RATE_LIMITED),
    ],
)
@pytest.mark.parametrize("raw", [b"", b"<html>no</html>", b'{"error":"no"}'])
def test_refusal_in_front_of_the_engine_is_rejected_whatever_its_body(
    status: int, reason: Refusal, raw: bytes
) -> None:
    found = judge_post(status, raw, ORDER)
    assert isinstance(found, Rejected)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("post-only mode: only post-only orders are accepted", Refusal.POST_ONLY_MODE),
        (
            "Trading is currently cancel-only. New orders are not accepted, but cancels are "
            "allowed.",
            Refusal.CANCEL_ONLY_MODE,
        ),
        (
            "Trading is currently disabled. Check polymarket.com for updates",
            Refusal.DISABLED,
        ),
        ("trading is disabled", Refusal.DISABLED),
        ("Service is not ready", Refusal.RESTARTING),
    ],
)
def test_503_is_rejected_only_with_the_text_of_a_mode(text: str, reason: Refusal) -> None:
    assert judge_post(503, error(text), ORDER) == Rejected(reason, text)
    found = judge_post(503, error("upstream connect error"), ORDER)
    assert isinstance(found, Unknown)


def test_long_text_of_the_venue_is_cut() -> None:
    found = judge_post(400, error("not enough balance " + "x" * 10_000), ORDER)
    assert isinstance(found, Rejected)
    assert len(found.text) == 300


@pytest.mark.req("EX-2")
def test_batch_is_judged_element_by_element() -> None:
    replies = [
        make_reply(),
        make_refusal("invalid post-only order: order crosses book"),
        make_reply(orderID=THIRD, status="matched"),
    ]
    first, second, third = judge_batch(200, body(replies), (ORDER, OTHER, THIRD))
    assert isinstance(first, Accepted)
    assert isinstance(second, Rejected)
    assert isinstance(third, Accepted)
    assert third.order_id == THIRD


@pytest.mark.req("EX-2")
def test_batch_of_the_wrong_length_accepts_what_it_names_and_leaves_the_rest_unknown() -> None:
    refused = make_refusal("invalid expiration")
    for replies in (
        [make_reply()],
        [refused, make_reply(), refused],
        [make_reply(), *[refused] * 9],
    ):
        first, second = judge_batch(200, body(replies), (ORDER, OTHER))
        assert isinstance(first, Accepted)
        assert isinstance(second, Unknown)
    for replies in ([], [refused], [refused] * 3):
        found = judge_batch(200, body(replies), (ORDER, OTHER))
        assert [type(outcome) for outcome in found] == [Unknown, Unknown]


@pytest.mark.req("EX-2")
@pytest.mark.parametrize("spoilt", [None, 7, "live", [], {"orderID": 5}, {"tradeIDs": "t"}, {}])
def test_entry_that_cannot_be_read_spoils_none_of_its_neighbours(spoilt: object) -> None:
    replies = [make_reply(), spoilt, make_refusal("invalid expiration")]
    first, second, third = judge_batch(200, body(replies), (ORDER, OTHER, THIRD))
    assert isinstance(first, Accepted)
    assert isinstance(second, Unknown)
    assert isinstance(third, Rejected)


@pytest.mark.req("EX-2")
@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{}", b'{"error":"no"}', b"<html>", body([make_reply()] * 2)[:-3]]
)
def test_batch_answer_that_is_no_list_is_unknown_for_every_order(raw: bytes) -> None:
    found = judge_batch(200, raw, (ORDER, OTHER))
    assert [type(outcome) for outcome in found] == [Unknown, Unknown]


def test_batch_in_another_order_accepts_only_what_it_names() -> None:
    replies = [make_refusal("invalid expiration"), make_reply(), make_reply(orderID=THIRD)]
    first, second, third = judge_batch(200, body(replies), (ORDER, OTHER, THIRD))
    assert isinstance(first, Accepted)
    assert isinstance(second, Unknown)
    assert isinstance(third, Accepted)


@pytest.mark.req("EX-2")
def test_batch_that_names_an_order_twice_is_unknown_for_it() -> None:
    first, second = judge_batch(200, body([make_reply(), make_reply()]), (ORDER, OTHER))
    assert isinstance(first, Unknown)
    assert isinstance(second, Unknown)


def test_refused_batch_is_refused_for_every_order() -> None:
    found = judge_batch(429, b"", (ORDER, OTHER))
    assert [outcome.reason for outcome in found if isinstance(outcome, Rejected)] == [
        Refusal.RATE_LIMITED
    ] * 2


def test_beat_is_taken_refused_with_the_expected_id_or_unknown() -> None:
    assert outcomes.judge_beat(200, b'{"heartbeat_id":"h2"}') == outcomes.BeatTaken("h2")
    wrong = b'{"error_msg":"Invalid Heartbeat ID","heartbeat_id":""}'
    assert outcomes.judge_beat(400, wrong) == outcomes.BeatRefused("")
    assert isinstance(outcomes.judge_beat(200, b"OK"), Unknown)
    assert isinstance(outcomes.judge_beat(400, error("no")), Unknown)
    assert isinstance(outcomes.judge_beat(500, b""), Unknown)
    assert isinstance(outcomes.judge_beat(401, b""), Rejected)

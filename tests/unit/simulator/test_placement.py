from typing import Any

import msgspec
import pytest

from services.simulator.matching import Order
from services.simulator.standings import BuilderFees
from shared.units import PriceE4, SizeE6
from shared.venue.orders_wire import PostOrder
from shared.venue.wallets import deposit_address, legacy_deposit_address, maker_address
from tests.builders.venue_rig import Client, VenueRig


def refusal(rig: VenueRig, post: PostOrder, client: Client | None = None) -> tuple[int, str]:
    status, body = rig.post(post, client)
    assert status != 200, body
    assert rig.open_ids() == []
    return status, body["error"]


def respelled(post: PostOrder, **members: Any) -> PostOrder:
    """Replace unsigned or signed members after signing."""
    return msgspec.structs.replace(post, order=msgspec.structs.replace(post.order, **members))


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_signed_order_rests_and_keeps_its_hash_as_id(protocol: Any, outcome: int) -> None:
    rig = VenueRig(protocol=protocol)
    post = rig.client.order(rig.market, outcome=outcome)
    status, body = rig.post(post)
    assert status == 200
    assert body["status"] == "live"
    assert body["orderID"] == rig.client.order_id(rig.market, post)
    assert rig.open_ids() == [body["orderID"]]


def test_order_signed_for_the_other_protocol_is_a_version_mismatch() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, version="v2")
    assert refusal(rig, post) == (400, "order_version_mismatch")


@pytest.mark.parametrize(
    "members",
    [{"maker_amount": "100001"}, {"taker_amount": "10000001"}, {"salt": 99}, {"side": "SELL"},
     {"timestamp": "1"}, {"metadata": "0x" + "1" * 64}, {"signature": "0x" + "11" * 65},
     {"signature": "0x"}, {"signature": ""}],
    ids=lambda members: next(iter(members.items()))[0],
)  # fmt: skip
def test_order_changed_after_signing_is_refused(members: dict[str, Any]) -> None:
    rig = VenueRig()
    post = respelled(rig.client.order(rig.market), **members)
    assert refusal(rig, post) == (400, "invalid signature")


def test_expiration_is_no_part_of_the_signature() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, order_type="GTD", expiration_s=rig.now_s + 200)
    status, _ = rig.post(respelled(post, expiration=str(rig.now_s + 300)))
    assert status == 200


def test_order_of_another_key_is_refused() -> None:
    rig = VenueRig()
    other = Client(rig.settings.seed, 2)
    post = msgspec.structs.replace(rig.client.order(rig.market), owner=other.api_key)
    assert refusal(rig, post) == (400, "the order owner has to be the owner of the API KEY")


def test_order_of_another_signer_is_refused() -> None:
    rig = VenueRig()
    other = Client(rig.settings.seed, 2)
    post = msgspec.structs.replace(other.order(rig.market), owner=rig.client.api_key)
    text = "the order signer address has to be the address of the API KEY"
    assert refusal(rig, post) == (400, text)


MAKER_TEXT = "maker address not allowed, please use the deposit wallet flow"
SIGNER_TEXT = "the order signer address has to be the address of the API KEY"


@pytest.mark.req("VEN-2")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("protocol", ["v1", "neg_risk", "v2"])
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_our_signers_order_of_every_wallet_kind_is_taken_in_every_market(
    protocol: Any, kind: int
) -> None:
    rig = VenueRig(protocol=protocol)
    post = rig.client.order(rig.market, kind=kind)
    status, body = rig.post(post)
    assert (status, body["orderID"]) == (200, rig.client.order_id(rig.market, post))
    order = rig.core.exchange.orders[body["orderID"]]
    assert order.maker == maker_address(kind, rig.client.address)
    assert rig.core.exchange.accounts.get(order.maker).reserved_collateral == 100_000


@pytest.mark.parametrize(
    ("kind", "text"), [(0, MAKER_TEXT), (1, MAKER_TEXT), (2, MAKER_TEXT), (3, MAKER_TEXT)]
)
def test_maker_that_is_not_the_signers_wallet_is_refused(kind: int, text: str) -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, kind=kind, maker="0x" + "77" * 20)
    assert refusal(rig, post) == (400, text)


def test_deposit_wallet_signs_itself() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, kind=3, signer=rig.client.address)
    assert refusal(rig, post) == (400, SIGNER_TEXT)
    legacy = legacy_deposit_address(rig.client.address)
    post = rig.client.order(rig.market, kind=3, signer=legacy, maker=legacy)
    assert refusal(rig, post) == (400, SIGNER_TEXT)


def test_plain_signature_is_none_of_a_deposit_wallet() -> None:
    rig = VenueRig()
    wallet = deposit_address(rig.client.address)
    plain = rig.client.order(rig.market, maker=wallet, signer=wallet).order.signature
    post = respelled(rig.client.order(rig.market, kind=3), signature=plain, salt=1)
    assert refusal(rig, post) == (400, "invalid signature")


def test_unknown_signature_type_cannot_be_read() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, signature_type=4)
    assert refusal(rig, post) == (400, "Invalid order payload")


@pytest.mark.parametrize(
    ("setting", "kind", "text"),
    [("eoa_makers", 0, MAKER_TEXT), ("legacy_makers", 1, MAKER_TEXT),
     ("legacy_makers", 2, MAKER_TEXT), ("deposit_wallets", 3, SIGNER_TEXT)],
)  # fmt: skip
def test_wallet_can_be_unknown_until_somebody_makes_it_known(
    setting: str, kind: int, text: str
) -> None:
    word = "undeployed" if setting == "deposit_wallets" else "refused"
    spoil: Any = {setting: word}
    rig = VenueRig(**spoil)
    assert refusal(rig, rig.client.order(rig.market, kind=kind)) == (400, text)
    wallet = maker_address(kind, rig.client.address)
    rig.core.exchange.accounts.standings.note_wallet(wallet, known=True)
    assert rig.post(rig.client.order(rig.market, kind=kind))[0] == 200


def test_neg_risk_order_signed_for_the_standard_exchange_has_a_wrong_signature() -> None:
    rig = VenueRig(protocol="neg_risk")
    post = rig.client.order(rig.market, version="v1")
    assert refusal(rig, post) == (400, "invalid signature")
    post = rig.client.order(rig.market, version="v2", kind=3)
    assert refusal(rig, post) == (400, "order_version_mismatch")


def test_order_of_the_first_protocol_is_a_version_mismatch() -> None:
    rig = VenueRig()
    body = b'{"order":{"salt":1,"maker":"0x12","nonce":"0","feeRateBps":"0"},"owner":"x"}'
    status, answer = rig.ask("POST", "/order", body)
    assert (status, answer["error"]) == (400, "order_version_mismatch")


def test_banned_and_closed_only_accounts_are_told_so() -> None:
    rig = VenueRig()
    address, standings = rig.client.address, rig.core.exchange.accounts.standings
    standings.note_standing(address, "closed_only")
    text = f"'{address}' address in closed only mode"
    assert refusal(rig, rig.client.order(rig.market)) == (400, text)
    selling = rig.client.order(rig.market, side="SELL")
    assert "not enough balance" in refusal(rig, selling)[1]
    standings.note_standing(address, "banned")
    assert refusal(rig, rig.client.order(rig.market)) == (400, f"'{address}' address banned")


def test_unknown_builder_is_refused() -> None:
    rig = VenueRig()
    code = "0x" + "ab" * 32
    assert refusal(rig, rig.client.order(rig.market, builder=code))[0] == 400
    rig.core.exchange.accounts.standings.note_builder(code, BuilderFees())
    assert rig.post(rig.client.order(rig.market, builder=code))[0] == 200


def test_unknown_token_has_no_book() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, token_id="12345")
    assert refusal(rig, post) == (404, "No orderbook exists for the requested token id")


@pytest.mark.parametrize(
    "members", [{"maker_amount": "x"}, {"maker": "0x12"}, {"timestamp": "-1"}], ids=str
)
def test_order_that_cannot_be_read_is_refused(members: dict[str, Any]) -> None:
    rig = VenueRig()
    post = respelled(rig.client.order(rig.market), **members)
    assert refusal(rig, post) == (400, "Invalid order payload")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"nonsense"])
def test_body_of_another_shape_is_refused(body: bytes) -> None:
    status, answer = VenueRig().ask("POST", "/order", body)
    assert (status, answer["error"]) == (400, "Invalid order payload")


@pytest.mark.parametrize(("price", "taken"), [(100, True), (150, False), (9_900, True), (50, False),
                                              (9_950, False)])  # fmt: skip
def test_price_must_be_on_the_tick(price: int, taken: bool) -> None:
    rig = VenueRig()
    status, body = rig.post(rig.client.order(rig.market, price=price))
    assert (status == 200) is taken
    assert taken or "breaks minimum tick size rule: 0.01" in body["error"]


@pytest.mark.parametrize(("size", "taken"), [(4.99, False), (5, True), (5.01, True)])
def test_size_must_reach_five_shares(size: float, taken: bool) -> None:
    rig = VenueRig()
    status, body = rig.post(rig.client.order(rig.market, size=size))
    assert (status == 200) is taken
    assert taken or "lower than the minimum: 5" in body["error"]


def test_size_finer_than_a_hundredth_is_refused() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, price=5_000, maker_amount=3_000_500, taker_amount=6_001_000)
    assert refusal(rig, post) == (400, "Invalid order payload")


@pytest.mark.parametrize(("ahead_s", "taken"), [(179, False), (180, True), (181, True)])
def test_gtd_order_must_name_a_moment_three_minutes_ahead(ahead_s: int, taken: bool) -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, order_type="GTD", expiration_s=rig.now_s + ahead_s)
    status, body = rig.post(post)
    assert (status == 200) is taken
    assert taken or body["error"] == "invalid expiration"


def test_gtd_order_that_arrives_late_is_refused() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, order_type="GTD", expiration_s=rig.now_s + 182)
    rig.advance(2.001)
    assert refusal(rig, post) == (400, "invalid expiration")


def test_gtd_order_ends_a_minute_before_its_expiration() -> None:
    rig = VenueRig(interval_s=14_400)
    order_id = rig.place(order_type="GTD", expiration_s=rig.now_s + 180)
    rig.advance(119.9)
    assert rig.open_ids() == [order_id]
    rig.advance(0.2)
    assert rig.open_ids() == []
    (ended,) = [record for record in rig.kinds("order") if record["change"] == "CANCELLATION"]
    assert ended["cause"] == "expired"
    assert ended["wall_ns"] // 1_000_000 == (rig.kinds("post")[0]["wall_ns"] // 10**9 + 120) * 1000


def test_gtc_order_may_not_expire() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, expiration_s=rig.now_s + 300)
    assert refusal(rig, post) == (400, "invalid expiration")


def test_same_order_again_is_a_duplicate_even_after_its_end() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market)
    _, body = rig.post(post)
    order_id = body["orderID"]
    text = f"order {order_id} is invalid. Duplicated."
    assert rig.post(post) == (400, {"error": text})
    rig.ask("DELETE", "/cancel-all")
    assert rig.post(post) == (400, {"error": text})


@pytest.mark.parametrize("order_type", ["FOK", "FAK"])
def test_immediate_order_may_not_be_post_only(order_type: Any) -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market, price=5_000, order_type=order_type, post_only=True)
    assert refusal(rig, post) == (400, "Invalid order payload")


def test_market_buy_with_more_than_two_decimals_of_money_is_refused() -> None:
    rig = VenueRig()
    post = rig.client.order(
        rig.market, order_type="FAK", maker_amount=5_001_000, taker_amount=10_002_000
    )
    status, text = refusal(rig, post)
    assert status == 400
    assert text.startswith("invalid amounts, the market buy orders maker amount supports")


def test_buy_that_takes_must_be_worth_a_dollar() -> None:
    rig = VenueRig()
    seller = Client(rig.settings.seed, 2)
    # A buyer of the second token at 0.95 is a seller of the first at 0.05.
    rig.place(seller, outcome=1, price=9_500, size=100)
    status, body = rig.post(rig.client.order(rig.market, price=500, size=19))
    assert (status, body["error"]) == (
        400,
        "invalid amount for a marketable BUY order ($0.95), min size: $1",
    )
    status, body = rig.post(rig.client.order(rig.market, price=500, size=20))
    assert (status, body["status"]) == (200, "matched")


def test_order_of_a_closed_market_is_refused() -> None:
    rig = VenueRig()
    post = rig.client.order(rig.market)
    rig.advance(rig.market.end_ms / 1000 - rig.now.wall_ns / 1e9)
    assert refusal(rig, post) == (404, "No orderbook exists for the requested token id")


def test_order_struct_needs_no_defaults_from_the_test() -> None:
    fresh = Order("0x1", "maker", "", "0xm", 0, "BUY", PriceE4(1), SizeE6(1))
    assert fresh.remaining == 1

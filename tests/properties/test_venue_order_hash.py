"""Our hash and digests against the official client's own builder, on random orders."""

from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, Side, SignatureTypeV2
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderV2
from py_clob_client_v2.signer import Signer

from shared.venue import order_hash
from shared.venue.order_hash import ExchangeDomain, UnsignedOrder

SIGNER = Signer("0x" + "11" * 32, 137)
DOMAINS = [
    order_hash.exchange_domain("v1", neg_risk=False),
    order_hash.exchange_domain("v1", neg_risk=True),
    order_hash.exchange_domain("v2", neg_risk=False),
]
BUILDERS = {
    domain: ExchangeOrderBuilderV2(domain.contract, 137, SIGNER, domain_version=domain.version)
    for domain in DOMAINS
}
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
BYTES32 = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
UINT256 = st.integers(0, 2**256 - 1)


@st.composite
def orders(draw: st.DrawFn) -> UnsignedOrder:
    return UnsignedOrder(
        salt=draw(UINT256),
        maker=draw(ADDRESSES),
        signer=draw(ADDRESSES),
        token_id=str(draw(UINT256)),
        maker_amount=draw(UINT256),
        taker_amount=draw(UINT256),
        side_code=draw(st.sampled_from([0, 1])),
        signature_type=draw(st.integers(0, 3)),
        timestamp_ms=draw(UINT256),
        metadata=draw(BYTES32),
        builder=draw(BYTES32),
    )


def theirs(order: UnsignedOrder) -> OrderV2:
    return OrderV2(
        salt=str(order.salt),
        maker=order.maker,
        signer=order.signer,
        tokenId=order.token_id,
        makerAmount=str(order.maker_amount),
        takerAmount=str(order.taker_amount),
        side=Side(order.side_code),
        signatureType=SignatureTypeV2(order.signature_type),
        timestamp=str(order.timestamp_ms),
        metadata=order.metadata,
        builder=order.builder,
    )


@settings(max_examples=60)
@given(orders(), st.sampled_from(DOMAINS))
def test_order_hash_equals_the_official_builders(
    order: UnsignedOrder, domain: ExchangeDomain
) -> None:
    builder = BUILDERS[domain]
    typed_data = builder.build_order_typed_data(theirs(order))
    assert order_hash.order_hash(order, domain) == builder.build_order_hash(typed_data)


@settings(max_examples=20)
@given(orders(), st.sampled_from(DOMAINS))
def test_official_signature_of_a_wallet_order_recovers_over_our_digest(
    order: UnsignedOrder, domain: ExchangeDomain
) -> None:
    builder = BUILDERS[domain]
    typed_data = builder.build_order_typed_data(theirs(order))
    posted = builder._build_poly_1271_order_signature(typed_data)
    digest = order_hash.wallet_digest(order, domain)
    recovered = Account._recover_hash(digest, signature=posted[: 2 + 130])
    assert recovered == SIGNER.address()
    assert order_hash.order_struct_hash(order).hex() in posted

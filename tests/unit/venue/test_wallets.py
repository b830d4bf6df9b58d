"""Addresses of wallets equal the official client's, and only their owner's signature counts."""

import pytest
from coincurve import PrivateKey
from polymarket._internal import wallet as official
from polymarket._internal.environment import PRODUCTION_CONFIG

from services.execution.signer import OrderSigner
from services.simulator.keys import recover_address
from shared.venue.order_hash import ExchangeDomain, UnsignedOrder, exchange_domain
from shared.venue.wallets import (
    deposit_address,
    is_signed_by_wallet,
    legacy_deposit_address,
    maker_address,
    proxy_address,
    safe_address,
    split_wallet_signature,
)
from tests.builders.venue_rig import address_of

OWNERS = [address_of(PrivateKey(number.to_bytes(32, "big"))) for number in (1, 2, 2**200 + 7)]
KEY = b"\x11" * 32


def build_order(wallet: str) -> UnsignedOrder:
    return UnsignedOrder(
        salt=1,
        maker=wallet,
        signer=wallet,
        token_id="12345",
        maker_amount=1_000_000,
        taker_amount=10_000_000,
        side_code=0,
        signature_type=3,
        timestamp_ms=1_790_000_000_000,
    )


def is_signed(order: UnsignedOrder, domain: ExchangeDomain, signature: str) -> bool:
    owner = OrderSigner(KEY).address
    return is_signed_by_wallet(order, domain, signature, owner, recover_address)


@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("owner", OWNERS)
def test_addresses_are_the_official_clients(owner: str) -> None:
    config = PRODUCTION_CONFIG.wallet_derivation
    expected = {
        proxy_address: official.derive_proxy_wallet_address,
        safe_address: official.derive_safe_wallet_address,
        deposit_address: official.derive_beacon_deposit_wallet_address,
        legacy_deposit_address: official.derive_uups_deposit_wallet_address,
    }
    for ours, theirs in expected.items():
        assert ours(owner) == theirs(owner, config).lower()


def test_each_signature_type_has_its_maker() -> None:
    owner = OWNERS[0]
    makers = [maker_address(kind, owner.upper().replace("0X", "0x")) for kind in range(4)]
    assert makers == [owner, proxy_address(owner), safe_address(owner), deposit_address(owner)]
    with pytest.raises(ValueError, match="no signature type 4"):
        maker_address(4, owner)


def test_an_owner_that_is_no_address_has_no_wallet() -> None:
    with pytest.raises(ValueError, match="hex digits"):
        deposit_address("0x12")


@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_wallets_signature_is_its_owners_for_one_order_and_one_exchange(version: str) -> None:
    signer = OrderSigner(KEY)
    order = build_order(deposit_address(signer.address))
    domain = exchange_domain(version, neg_risk=False)
    signature = signer.sign(order, domain)
    assert is_signed(order, domain, signature)
    other = exchange_domain("v1", neg_risk=True)
    assert not is_signed(order, other, signature)
    assert not is_signed(build_order("0x" + "77" * 20), domain, signature)
    assert not is_signed(order, domain, OrderSigner(b"\x12" * 32).sign(order, domain))


@pytest.mark.parametrize("place", [0, 70, 100, 140, -1])
def test_a_wallets_signature_counts_whole(place: int) -> None:
    signer = OrderSigner(KEY)
    order = build_order(deposit_address(signer.address))
    domain = exchange_domain("v2", neg_risk=False)
    raw = bytearray.fromhex(signer.sign(order, domain)[2:])
    raw[place] ^= 1
    assert not is_signed(order, domain, "0x" + raw.hex())


@pytest.mark.parametrize("signature", ["", "0x", "0xzz", "0x" + "00" * 65, "0x" + "11" * 400])
def test_what_is_no_wallets_signature_has_no_parts(signature: str) -> None:
    assert split_wallet_signature(signature) is None

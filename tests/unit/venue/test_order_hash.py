import msgspec
import pytest

from shared.venue import order_hash
from shared.venue.order_hash import ExchangeDomain, UnsignedOrder


def make_order(**spoilt: object) -> UnsignedOrder:
    order = UnsignedOrder(
        salt=479_249_096_354,
        maker="0x1111111111111111111111111111111111111111",
        signer="0x1111111111111111111111111111111111111111",
        token_id="1234",
        maker_amount=5_200_000,
        taker_amount=10_000_000,
        side_code=order_hash.BUY_CODE,
        signature_type=0,
        timestamp_ms=1_790_000_000_000,
    )
    return msgspec.structs.replace(order, **spoilt)


STANDARD = order_hash.exchange_domain("v1", neg_risk=False)


def test_market_version_and_kind_choose_the_exchange() -> None:
    assert order_hash.exchange_domain("v1", neg_risk=False) == ExchangeDomain(
        "2", "0xE111180000d2663C0091e4f400237545B87B996B"
    )
    assert order_hash.exchange_domain("v1", neg_risk=True) == ExchangeDomain(
        "2", "0xe2222d279d744050d28e00520010520000310F59"
    )
    for neg_risk in (False, True):
        assert order_hash.exchange_domain("v2", neg_risk=neg_risk) == ExchangeDomain(
            "3", "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
        )


@pytest.mark.parametrize("version", ["", "v3", "V1", "1"])
def test_unknown_market_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="unknown market version"):
        order_hash.exchange_domain(version, neg_risk=False)


def test_every_member_and_the_domain_change_the_hash() -> None:
    base = order_hash.order_hash(make_order(), STANDARD)
    other = "0x2222222222222222222222222222222222222222"
    spoilt: list[dict[str, object]] = [
        {"salt": 1},
        {"maker": other},
        {"signer": other},
        {"token_id": "1235"},
        {"maker_amount": 5_200_001},
        {"taker_amount": 10_000_001},
        {"side_code": order_hash.SELL_CODE},
        {"signature_type": 1},
        {"timestamp_ms": 1_790_000_000_001},
        {"metadata": "0x" + "01" * 32},
        {"builder": "0x" + "01" * 32},
    ]
    hashes = {order_hash.order_hash(make_order(**change), STANDARD) for change in spoilt}
    hashes.add(order_hash.order_hash(make_order(), order_hash.exchange_domain("v2", False)))
    hashes.add(order_hash.order_hash(make_order(), order_hash.exchange_domain("v1", True)))
    assert base not in hashes
    assert len(hashes) == len(spoilt) + 2


def test_hash_is_text_of_32_bytes_and_does_not_depend_on_the_case_of_addresses() -> None:
    mixed = "0xAbCdEf0123456789aBcDeF0123456789AbCdEf01"
    found = order_hash.order_hash(make_order(maker=mixed), STANDARD)
    assert found.startswith("0x")
    assert len(found) == 66
    assert found == order_hash.order_hash(make_order(maker=mixed.lower()), STANDARD)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"maker": "0x12"},
        {"maker": "1111111111111111111111111111111111111111ab"},
        {"signer": "0x" + "zz" * 20},
        {"token_id": "0x12"},
        {"token_id": ""},
        {"token_id": "-1"},
        {"metadata": "0x"},
        {"builder": "00" * 33},
        {"side_code": 256},
        {"signature_type": -1},
    ],
)
def test_malformed_member_is_an_error(spoilt: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        order_hash.order_hash(make_order(**spoilt), STANDARD)


@pytest.mark.parametrize("spoilt", [{"salt": -1}, {"maker_amount": 2**256}])
def test_number_that_does_not_fit_is_an_error(spoilt: dict[str, object]) -> None:
    with pytest.raises(OverflowError):
        order_hash.order_hash(make_order(**spoilt), STANDARD)

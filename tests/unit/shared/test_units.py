import msgspec
import pytest

from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.units import (
    MonotonicNs,
    PriceE4,
    ReferenceE18,
    SizeE6,
    WallMs,
    from_wire,
    notional_e6,
    to_wire,
)


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64, 100_000 * 10**18])
def test_reference_price_of_any_size_travels(value: int) -> None:
    tick = ReferencePrice(Asset("btc"), "chainlink", ReferenceE18(value), WallMs(1), MonotonicNs(2))
    encoded = msgspec.msgpack.Encoder(enc_hook=to_wire).encode(tick)
    decoder = msgspec.msgpack.Decoder(ReferencePrice, dec_hook=from_wire)
    assert decoder.decode(encoded) == tick
    assert msgspec.msgpack.decode(encoded)["value_e18"] == str(value)


@pytest.mark.parametrize("raw", [5, "five", None, b"5"])
def test_reference_price_is_decimal_text_on_the_wire(raw: object) -> None:
    encoded = msgspec.msgpack.encode({"v": raw})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(encoded, type=dict[str, ReferenceE18], dec_hook=from_wire)


def test_hooks_refuse_what_is_not_theirs() -> None:
    with pytest.raises(TypeError):
        to_wire(object())
    with pytest.raises(TypeError):
        from_wire(set, [])


def test_notional_is_rounded_down() -> None:
    assert notional_e6(PriceE4(3_333), SizeE6(1)) == 0
    assert notional_e6(PriceE4(5_000), SizeE6(3_000_000)) == 1_500_000

"""Signatures equal the official client's and are made without a socket."""

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2
from py_clob_client_v2.order_utils.model.side import Side
from py_clob_client_v2.order_utils.model.signature_type_v2 import SignatureTypeV2
from py_clob_client_v2.signer import Signer

from services.execution.signer import KeyFault, OrderSigner, read_key
from shared.venue.order_hash import ExchangeDomain, UnsignedOrder, exchange_domain, order_hash

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
WALLET = "0x" + "5a" * 20


def build_order(signer: OrderSigner, *, kind: int = 0, side: int = 0) -> UnsignedOrder:
    return UnsignedOrder(
        salt=2**53 - 1,
        maker=signer.address if kind == 0 else WALLET,
        signer=WALLET if kind == 3 else signer.address,
        token_id="106571931814705568608522991577081830219043787148318480327969993859528510803695",
        maker_amount=2_940_000,
        taker_amount=6_000_000,
        side_code=side,
        signature_type=kind,
        timestamp_ms=1_790_000_000_000,
    )


def official(order: UnsignedOrder, domain: ExchangeDomain) -> tuple[str, str]:
    """Return what the official builder signs for the same order, and its hash."""
    builder = ExchangeOrderBuilderV2(
        domain.contract,
        domain.chain_id,
        Signer("0x" + KEY.hex(), domain.chain_id),
        generate_salt=lambda: str(order.salt),
        domain_version=domain.version,
    )
    checksummed = Signer("0x" + KEY.hex(), domain.chain_id).address()
    data = OrderDataV2(
        maker=checksummed if order.signature_type == 0 else order.maker,
        signer=order.signer if order.signature_type == 3 else checksummed,
        tokenId=order.token_id,
        makerAmount=str(order.maker_amount),
        takerAmount=str(order.taker_amount),
        side=Side.BUY if order.side_code == 0 else Side.SELL,
        signatureType=SignatureTypeV2(order.signature_type),
        timestamp=str(order.timestamp_ms),
    )
    built = builder.build_order(data)
    typed: Any = builder.build_order_typed_data(built)
    return builder.build_order_signature(typed), builder.build_order_hash(typed)


@pytest.mark.req("VEN-2")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
@pytest.mark.parametrize(("version", "neg_risk"), [("v1", False), ("v1", True), ("v2", False)])
@pytest.mark.parametrize("side", [0, 1])
def test_signature_is_the_official_clients(
    kind: int, version: str, neg_risk: bool, side: int
) -> None:
    signer, domain = OrderSigner(KEY), exchange_domain(version, neg_risk)
    order = build_order(signer, kind=kind, side=side)
    signature, hashed = official(order, domain)
    assert signer.sign(order, domain) == signature
    assert order_hash(order, domain) == hashed


def test_signing_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> NoReturn:
        raise AssertionError("signing opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    signer = OrderSigner(KEY)
    domains = [exchange_domain(*kind) for kind in (("v1", False), ("v1", True), ("v2", False))]
    signatures = {
        signer.sign(build_order(signer, kind=kind, side=side), domain)
        for domain in domains
        for kind in range(4)
        for side in range(2)
    }
    assert len(signatures) == 24


@pytest.mark.req("NET-7")
def test_key_is_in_no_repr() -> None:
    assert KEY.hex() not in repr(OrderSigner(KEY))


@pytest.mark.parametrize("text", ["{}", "0x{}", "{}\n"])
def test_key_file_holds_hex(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.hex"
    path.write_text(text.format(KEY.hex()))
    assert read_key(path).address == OrderSigner(KEY).address


@pytest.mark.req("NET-7")
@pytest.mark.parametrize("text", ["", "xyz", "ab" * 31, "00" * 32, "ff" * 32])
def test_file_that_holds_no_key_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.hex"
    path.write_text(text)
    with pytest.raises(KeyFault) as fault:
        read_key(path)
    assert not text or text not in str(fault.value)

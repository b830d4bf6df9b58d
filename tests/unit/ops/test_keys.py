from pathlib import Path

import pytest
from coincurve import PublicKey

from bus.credentials import write_private
from ops.keys import Key, KeyFault, checksum_address, make_throwaway_key, read_key
from shared.venue.typed_data import keccak256

ONE = bytes(31) + b"\x01"
ADDRESS_OF_ONE = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


def test_address_of_a_known_key_carries_its_checksum() -> None:
    assert Key(ONE).address == ADDRESS_OF_ONE


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_checksum_agrees_with_the_examples_of_the_standard(address: str) -> None:
    assert checksum_address(bytes.fromhex(address[2:])) == address


def test_signature_recovers_to_the_signers_key() -> None:
    digest = keccak256(b"something")
    raw = bytes.fromhex(Key(ONE).sign(digest)[2:])
    public = PublicKey.from_signature_and_message(
        raw[:64] + bytes((raw[64] - 27,)), digest, hasher=None
    )
    assert checksum_address(keccak256(public.format(compressed=False)[1:])[-20:]) == ADDRESS_OF_ONE


@pytest.mark.req("NET-7")
def test_key_is_in_no_repr() -> None:
    assert ONE.hex() not in repr(Key(ONE))


def test_throwaway_key_is_private_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "key.hex"
    made = make_throwaway_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path).address == made.address


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_key_is_read_with_and_without_prefix(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "key.hex"
    write_private(path, (prefix + ONE.hex() + "\n").encode())
    assert read_key(path).address == ADDRESS_OF_ONE


@pytest.mark.parametrize("content", [b"", b"12", b"zz" * 32, bytes(64), b"00" * 32, b"ab" * 33])
def test_file_without_a_key_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.hex"
    write_private(path, content)
    with pytest.raises(KeyFault, match="no private key"):
        read_key(path)


def test_key_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.hex"
    make_throwaway_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFault, match="0644"):
        read_key(path)

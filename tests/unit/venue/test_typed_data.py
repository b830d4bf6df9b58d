import pytest

from shared.venue import typed_data


def test_keccak_is_ethereums_and_not_the_later_standard() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert typed_data.keccak256(b"").hex() == empty


def test_words_are_32_bytes() -> None:
    address = "0x" + "Ab" * 20
    assert typed_data.uint_word(1) == bytes(31) + b"\x01"
    assert typed_data.address_word(address) == bytes(12) + b"\xab" * 20
    assert typed_data.bytes32_word("0x" + "cd" * 32) == b"\xcd" * 32
    assert len(typed_data.text_word("")) == 32


@pytest.mark.parametrize("text", ["", "0x", "ab" * 21, "0x" + "ab" * 19, "0x" + "zz" * 20])
def test_text_that_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        typed_data.address_word(text)


@pytest.mark.parametrize("number", [-1, 2**256])
def test_number_that_does_not_fit_a_word_is_an_error(number: int) -> None:
    with pytest.raises(OverflowError):
        typed_data.uint_word(number)


def test_domain_differs_by_each_member() -> None:
    address = "0x" + "ab" * 20
    separators = {
        typed_data.domain_separator("n", "1", 137, None),
        typed_data.domain_separator("n", "1", 137, address),
        typed_data.domain_separator("n", "1", 1, address),
        typed_data.domain_separator("n", "2", 137, address),
        typed_data.domain_separator("m", "1", 137, address),
    }
    assert len(separators) == 5

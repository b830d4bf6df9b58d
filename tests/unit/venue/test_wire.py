import msgspec
import pytest

from shared.venue.faults import Malformed, Unparseable, WireFault
from shared.venue.wire import Wire, decode, encode


class Sample(Wire, frozen=True):
    name: str
    rows: tuple[int, ...] = ()


SAMPLE = msgspec.json.Decoder(Sample)


def test_key_that_we_do_not_know_is_ignored() -> None:
    assert decode(SAMPLE, b'{"name":"a","new":{"deep":[1]}}', "sample") == Sample("a")


def test_fault_names_the_message_and_the_path() -> None:
    with pytest.raises(Malformed) as caught:
        decode(SAMPLE, b'{"name":"a","rows":[1,"x"]}', "sample")
    assert caught.value.what == "sample"
    assert "$.rows[1]" in caught.value.reason


@pytest.mark.parametrize(
    "data", [b"", b"\xff", "\udc00", b'{"name":"\xff"}', '{"x":' + "[" * 9_999]
)
def test_anything_that_is_no_message_is_malformed(data: bytes | str) -> None:
    with pytest.raises(Malformed):
        decode(SAMPLE, data, "sample")


def test_encoded_message_is_compact() -> None:
    assert encode(Sample("a", (1, 2))) == b'{"name":"a","rows":[1,2]}'


def test_both_faults_are_caught_as_one() -> None:
    assert issubclass(Malformed, WireFault)
    assert issubclass(Unparseable, WireFault)
    assert not issubclass(Malformed, Unparseable)


def test_what_was_sent_is_shortened_in_a_fault() -> None:
    fault = Unparseable("price", "x" * 10_000)
    assert len(str(fault)) < 100

import pytest

from ops.cli.output import age, dollars, duration, price, shares, short


@pytest.mark.parametrize(
    ("money", "text"),
    [(0, "0.00"), (1, "0.000001"), (-1_234_500, "-1.2345"), (5_000_000, "5.00"), (-1, "-0.000001")],
)
def test_dollars_are_exact(money: int, text: str) -> None:
    assert dollars(money) == text


@pytest.mark.parametrize(
    ("size", "text"), [(1_000_000, "1"), (10_500_000, "10.5"), (-250_000, "-0.25"), (0, "0")]
)
def test_shares_are_exact(size: int, text: str) -> None:
    assert shares(size) == text


@pytest.mark.parametrize(("ticks", "text"), [(4_500, "0.45"), (4_525, "0.4525"), (10_000, "1.00")])
def test_price_is_exact(ticks: int, text: str) -> None:
    assert price(ticks) == text


@pytest.mark.parametrize(
    ("span_ns", "text"),
    [
        (999_999, "999 us"),
        (1_000_000, "1 ms"),
        (1_500_000_000, "1.5 s"),
        (130_000_000_000, "2 min"),
        (8_000_000_000_000, "2.2 h"),
    ],
)
def test_duration_is_in_the_unit_that_reads_best(span_ns: int, text: str) -> None:
    assert duration(span_ns) == text


@pytest.mark.req("INV-11")
def test_age_says_stale_beyond_its_limit_and_never_for_none() -> None:
    assert str(age(1_000_000_000)) == "1.0 s"
    assert str(age(1_000_000_001)) == "1.0 s stale"
    assert str(age(None)) == "never"


def test_long_ids_are_shortened() -> None:
    assert short("0x1234567890abcdef") == "0x123456…cdef"
    assert short("0x12") == "0x12"

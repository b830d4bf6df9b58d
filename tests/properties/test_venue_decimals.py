from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.venue import decimals
from shared.venue.faults import Unparseable

PLACES = st.sampled_from([0, 4, 6, 18])


@given(st.integers(-(10**17), 10**17), PLACES)
def test_text_of_a_number_reads_back_as_the_number(number: int, places: int) -> None:
    text = decimals.format_scaled(number, places)
    assert decimals.parse_scaled(text, places, "number") == number
    assert text == "0" or not (("." in text) and text.endswith(("0", ".")))


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=9),
    PLACES,
)
def test_text_is_read_exactly_or_refused(number: Decimal, places: int) -> None:
    text = format(number, "f")
    exact = Decimal(text).scaleb(places)
    try:
        found = decimals.parse_scaled(text, places, "number")
    except Unparseable:
        assert exact != exact.to_integral_value()
    else:
        assert found == exact


@given(st.text(max_size=12))
def test_no_text_is_read_as_another_number_than_decimal_reads(text: str) -> None:
    try:
        found = decimals.parse_scaled(text, 6, "number")
    except Unparseable:
        return
    assert Decimal(text).scaleb(6) == found

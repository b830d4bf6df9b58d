from shared.identifiers import SALT_BITS, Incarnation, order_salt


def test_salts_of_one_incarnation_do_not_repeat() -> None:
    salts = {order_salt(Incarnation(7), counter) for counter in range(10_000)}
    assert len(salts) == 10_000


def test_salt_fits_the_json_number_of_the_official_clients() -> None:
    for counter in range(1_000):
        assert 1 <= order_salt(Incarnation(2**64 - 1), counter) < 2**SALT_BITS


def test_salt_is_the_same_again_and_differs_between_incarnations() -> None:
    assert order_salt(Incarnation(1), 5) == order_salt(Incarnation(1), 5)
    assert order_salt(Incarnation(1), 5) != order_salt(Incarnation(2), 5)

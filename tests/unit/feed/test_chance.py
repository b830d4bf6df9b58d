from services.feed.chance import Chance


def test_chance_follows_from_its_seed() -> None:
    first = [Chance(5).below(1_000) for _ in range(1)]
    assert first == [Chance(5).below(1_000)]
    assert [Chance(seed).below(10**9) for seed in range(20)] != [0] * 20


def test_chance_stays_below_its_bound_and_reaches_everything() -> None:
    chance = Chance(1)
    assert {chance.below(6) for _ in range(500)} == set(range(6))
    assert chance.below(0) == 0
    assert chance.below(1) == 0

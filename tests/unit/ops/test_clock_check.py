"""Who corrects the clock is named, and what the kernel says."""

import pytest

from ops import clock_check


@pytest.mark.req("CK-1")
@pytest.mark.parametrize(
    ("running", "synchronised", "holds"),
    [
        (["chronyd"], True, True),
        (["chronyd"], False, False),
        (["chronyd"], None, True),
        ([], True, True),
        ([], False, False),
        ([], None, None),
    ],
)
def test_clock_is_kept_right_when_the_kernel_says_so(
    monkeypatch: pytest.MonkeyPatch,
    running: list[str],
    synchronised: bool | None,
    holds: bool | None,
) -> None:
    monkeypatch.setattr(clock_check, "_running", lambda: running)
    monkeypatch.setattr(clock_check, "_is_synchronised", lambda: synchronised)
    found, words = clock_check.correction()
    assert found is holds
    assert all(name in words for name in running)


def test_this_host_is_asked_without_harm() -> None:
    found, words = clock_check.correction()
    assert found in (True, False, None)
    assert words

"""The text that Prometheus reads, judged by a parser of the format's own grammar."""

import re

import pytest

from services.dashboard.metrics import Text, escape
from shared.topics import FEED_PRICE
from tests.builders.dashboard import Dashboard

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([-+]?[0-9.eE+-]+)")


def parse(text: str) -> dict[str, dict[str, float]]:
    """Return samples by family and labels; refuse what the format does not allow."""
    assert text.endswith("\n")
    families: dict[str, dict[str, float]] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split()[2]
            assert current not in families, "a family stands in one place"
            families[current] = {}
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == current
            assert kind in ("gauge", "counter")
            assert (kind == "counter") == name.endswith("_total")
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] == current
            labels = found[2] or ""
            assert labels not in families[current], "a sample stands once"
            families[current][labels] = float(found[3])
    return families


@pytest.fixture
def board(tmp_path: object) -> Dashboard:
    return Dashboard(tmp_path)


@pytest.mark.req("OP-3")
def test_metrics_of_a_trading_group_parse_and_say_so(board: Dashboard) -> None:
    board.run(6_000)
    families = parse(board.shown[-1].metrics)
    assert families["interlock_ready"] == {"": 1.0}
    assert families["interlock_orders"]['state="open"'] == 1.0
    assert families["interlock_feed_connected"]['feed="feed_price"'] == 1.0
    assert families["interlock_orders_denied_total"]['reason="fence"'] == 9.0
    assert len(families) > 25


@pytest.mark.req("INV-11")
def test_what_is_unknown_is_left_out_and_never_zero(board: Dashboard) -> None:
    board.run(1_000, speaks=False)
    families = parse(board.shown[-1].metrics)
    assert families["interlock_ready"] == {"": 0.0}
    for name in ("orders", "epoch", "profit_realised_usd", "markets_valid", "lease_seconds"):
        assert f"interlock_{name}" not in families


def test_silent_feed_ages_in_the_metrics(board: Dashboard) -> None:
    board.run(3_000)
    board.silent.add(FEED_PRICE)
    board.run(10_000)
    families = parse(board.shown[-1].metrics)
    assert families["interlock_feed_heard_age_seconds"]['feed="feed_price"'] >= 9.0


def test_label_with_anything_in_it_still_parses() -> None:
    text = Text()
    label = 'a "b" \\ c\nd {e}'
    text.family("odd_seconds", "gauge", "Odd.", [({"what": label}, 1.5), ({"what": "no"}, None)])
    families = parse(text.render())
    assert families["interlock_odd_seconds"] == {f'what="{escape(label)}"': 1.5}

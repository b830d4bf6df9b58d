"""The questions as data, the plan that is made of them, and what an answer is worth."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ops.cli.__main__ import main
from ops.probe.answers import (
    Answer,
    broad_kind_of,
    differences,
    field,
    judge,
    kind_of,
    normal_text,
)
from ops.probe.asked import QUESTIONS
from ops.probe.place import Place
from ops.probe.script import BY_ID, STEPS, plan_of
from ops.probe.session import cost_of
from shared.units import PriceE4, SizeE6
from tests.builders.markets import DOWN, UP, market_info

NEEDED = {
    "batch_atomicity",
    "refused_cross",
    "refused_tick",
    "refused_size",
    "refused_balance",
    "refused_signature",
    "refused_duplicate",
    "success_with_error",
    "amount_scale",
    "size_scale",
    "status_forms",
    "expiration_rule",
    "gtd_end",
    "unknown_order",
    "cancel_texts",
    "clock_window",
    "replay_on_reconnect",
    "placement_event",
    "trade_event",
    "book_hash",
    "ping_market",
    "ping_user",
    "user_wrong_key",
    "price_side",
    "books_order",
    "rate_headers",
    "dead_man",
    "cancel_all_cost",
    "timestamp_rule",
    "fee_forms",
    "taker_delay",
    "versions",
    "tick_forms",
    "price_socket",
}


@pytest.mark.req("VEN-9")
def test_every_open_question_is_in_the_table_once_and_says_all_of_itself() -> None:
    assert len(BY_ID) == len(QUESTIONS)
    assert set(BY_ID) >= NEEDED
    for question in QUESTIONS:
        assert all((question.asks, question.matters, question.how, question.assumes)), question.id


def test_every_question_has_its_step_and_every_step_a_question() -> None:
    assert {question.step for question in QUESTIONS} == {step.name for step in STEPS}


def test_plan_leaves_out_what_costs_a_fill_unless_it_is_allowed() -> None:
    plan = plan_of((), (), take=False)
    assert not plan.takes
    assert {name for name, why in plan.left_out.items() if "--take" in why} == {
        question.id for question in QUESTIONS if question.takes
    }
    assert "take" not in {step.name for step in plan.steps}
    assert plan_of((), (), take=True).left_out == {}


def test_plan_asks_what_is_wished_for_and_skips_what_is_not() -> None:
    plan = plan_of(("gtd_end", "clock_window"), ("gtd_end",), take=False)
    assert [question.id for question in plan.questions] == ["clock_window"]
    assert [step.name for step in plan.steps] == ["clock_window"]
    assert set(plan.left_out) == set(BY_ID) - {"clock_window"}


def place(ask: int = 4_900, bid: int = 4_800) -> Place:
    info = market_info(tick_e4=PriceE4(100), min_size_e6=SizeE6(5_000_000))
    return Place(info, UP, DOWN, PriceE4(bid), PriceE4(ask))


@pytest.mark.req("VEN-9")
def test_worst_case_counts_every_order_as_filled_whole() -> None:
    crossing = plan_of(("refused_cross",), (), take=False)
    cost = cost_of(crossing, place())
    resting, near = 5 * 100_000, 5 * 590_000  # ten ticks above the touch
    assert (cost.orders, cost.worst_e6, cost.taken_e6) == (6, resting + near, 0)


@pytest.mark.parametrize(
    ("ask", "shares"), [(4_900, 5), (2_000, 5), (1_999, 6), (1_000, 10), (600, 17)]
)
def test_taking_buys_five_shares_and_a_dollar_at_least(ask: int, shares: int) -> None:
    cost = cost_of(plan_of(("amount_scale",), (), take=True), place(ask, ask - 100))
    assert cost.taken_e6 == shares * (ask + 1_000) * 100
    assert cost.taken_e6 >= 1_000_000


# --- answers ---


def test_answer_agrees_only_when_every_part_of_its_form_does() -> None:
    question = BY_ID["unknown_order"]
    same = judge(
        question, Answer("unknown_order", dict(question.assumes), {"ms": 3}), "", asked=True
    )
    assert (same.verdict, same.differences) == ("agrees", ())
    other = judge(question, Answer("unknown_order", {"http": 200, "new": True}), "", asked=True)
    assert other.verdict == "differs"
    assert other.differences == (
        "body: nothing, not Order not found",
        "http: 200, not 404",
        "new: true, not nothing",
    )


@pytest.mark.parametrize(("asked", "verdict"), [(True, "not answered"), (False, "not asked")])
def test_question_without_an_answer_says_why(asked: bool, verdict: str) -> None:
    row = judge(BY_ID["gtd_end"], None, "silent", asked=asked)
    assert (row.verdict, row.why) == (verdict, "silent")


def test_one_is_not_true_and_true_is_not_one() -> None:
    assert differences({"a": 1}, {"a": 1}) == ()
    assert differences({"a": "1"}, {"a": 1}) != ()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (f"order 0x{'ab' * 32} is invalid. Price (0.015)", "order <id> is invalid. Price (#)"),
        ("key 01234567-89ab-cdef-0123-456789abcdef 12", "key <uuid> #"),
        ("x" * 500, "x" * 160),
    ],
)
def test_text_is_compared_without_its_ids_and_numbers(text: str, normal: str) -> None:
    assert normal_text(text) == normal


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (0.5, "number"),
        ("", "empty text"),
        ("12", "text of a whole number"),
        ("1.2", "text of a decimal"),
        ("live", "text"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_kind_of_a_value(value: Any, kind: str) -> None:
    assert kind_of(value) == kind
    assert broad_kind_of(value) == ("text of a number" if kind.startswith("text of a") else kind)


def test_member_that_is_not_there_is_none_whatever_the_body_is() -> None:
    bodies: tuple[Any, ...] = (None, [], "text", 3, {"a": None}, {"a": [1]})
    for body in bodies:
        assert field(body, "a", "b") is None
    assert field({"a": {"b": 1}}, "a", "b") == 1


# --- the command ---


def test_list_shows_every_question_and_asks_none() -> None:
    ran = CliRunner().invoke(main, ["probe", "--list", "--json"])
    assert ran.exit_code == 0
    assert [row["id"] for row in json.loads(ran.output)] == list(BY_ID)
    people = CliRunner().invoke(main, ["probe", "--list"])
    assert people.exit_code == 0
    assert "Does one bad order" in people.output

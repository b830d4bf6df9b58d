"""The script of a session: its steps in order, what each may cost, and which are asked."""

from collections.abc import Callable, Iterable

import msgspec

from ops.probe import steps_keys, steps_lives, steps_orders, steps_public
from ops.probe.asked import QUESTIONS
from ops.probe.desk import Desk
from ops.probe.questions import Question


class Step(msgspec.Struct, frozen=True):
    """One part of the script.

    Attributes:
        resting: Orders posted at the lowest price, or sells at the highest.
        crossing: Post-only orders posted at the touch, which the venue must refuse.
        lasts_s: About how long it takes at most.
    """

    name: str
    run: Callable[[Desk], None]
    resting: int = 0
    crossing: int = 0
    lasts_s: int = 5


STEPS: tuple[Step, ...] = (
    Step("constants", steps_public.constants),
    Step("books", steps_public.books),
    Step("market_stream", steps_public.market_stream, lasts_s=12),
    Step("clock_window", steps_keys.clock_window, lasts_s=10),
    Step("wrong_key", steps_keys.wrong_key, lasts_s=12),
    Step("ping_user", steps_keys.ping_user),
    Step("prices", steps_keys.prices, lasts_s=15),
    Step("rest", steps_orders.rest_and_cancel, resting=1, lasts_s=12),
    Step("refusals", steps_orders.refusals, resting=5, crossing=1, lasts_s=10),
    Step("expirations", steps_orders.expirations, resting=len(steps_orders.EXPIRATIONS_S)),
    Step("timestamps", steps_orders.timestamps, resting=3),
    Step("batch", steps_orders.batch, resting=3),
    Step("replay", steps_orders.replay, resting=2, lasts_s=20),
    Step("cancel_all", steps_lives.cancel_all, resting=2),
    Step("take", steps_lives.take, lasts_s=70),
    Step("gtd_end", steps_lives.gtd_end, resting=1, lasts_s=150),
    Step("dead_man", steps_lives.dead_man, resting=1, lasts_s=40),
    Step("success_forms", steps_orders.success_forms),
    Step("rate_headers", steps_public.rate_headers),
)
"""In their order: what costs nothing first, what cancels everything last."""

BY_ID: dict[str, Question] = {question.id: question for question in QUESTIONS}


class Plan(msgspec.Struct, frozen=True):
    """What will be asked.

    Attributes:
        questions: In the order of the table.
        left_out: Every other question, with the reason.
    """

    questions: tuple[Question, ...]
    left_out: dict[str, str]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps needed, in their order."""
        wanted = {question.step for question in self.questions}
        return tuple(step for step in STEPS if step.name in wanted)

    @property
    def takes(self) -> bool:
        """Whether a fill is meant."""
        return any(question.takes for question in self.questions)

    @property
    def lasts_s(self) -> int:
        """About how long the script takes at most."""
        return sum(step.lasts_s for step in self.steps)


def plan_of(only: Iterable[str], skip: Iterable[str], *, take: bool) -> Plan:
    """Return what will be asked of all questions.

    Args:
        only: Ids; none for all.
        skip: Ids left out.
        take: Whether questions that cost a fill are allowed.
    """
    wanted, unwanted = set(only), set(skip)
    chosen: list[Question] = []
    left_out: dict[str, str] = {}
    for question in QUESTIONS:
        if (wanted and question.id not in wanted) or question.id in unwanted:
            left_out[question.id] = "not wished for"
        elif question.takes and not take:
            left_out[question.id] = "costs a fill: needs --take"
        else:
            chosen.append(question)
    return Plan(tuple(chosen), left_out)

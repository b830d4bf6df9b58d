"""What a question was answered, and whether that is what the simulator assumes. Pure."""

import re
from typing import Any, Literal

import msgspec

from ops.probe.questions import Question

Scalar = str | int | bool

Verdict = Literal["agrees", "differs", "not asked", "not answered"]

HEX = re.compile(r"0x[0-9a-fA-F]{8,}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
NUMBER = re.compile(r"\d+(\.\d+)?")

TEXT_SHOWN_MAX = 160


class Answer(msgspec.Struct, frozen=True):
    """What the venue did.

    Attributes:
        question: Id.
        shape: Forms and rules, which must be the same at every time; compared.
        measured: Times, sizes and counts of this one session; shown and not compared.
    """

    question: str
    shape: dict[str, Scalar]
    measured: dict[str, Scalar] = {}


class Row(msgspec.Struct, frozen=True):
    """One question with all that is known of it.

    Attributes:
        answer: None when there is none.
        why: Why there is none; empty when there is one.
        differences: `name: venue's, not assumed` for each part of the form that differs.
    """

    question: str
    verdict: Verdict
    answer: Answer | None
    why: str
    differences: tuple[str, ...]


def judge(question: Question, answer: Answer | None, why: str, *, asked: bool) -> Row:
    """Compare an answer with what the simulator assumes."""
    if answer is None:
        return Row(question.id, "not answered" if asked else "not asked", None, why, ())
    found = differences(answer.shape, question.assumes)
    return Row(question.id, "differs" if found else "agrees", answer, "", found)


def differences(found: dict[str, Scalar], assumed: dict[str, Scalar]) -> tuple[str, ...]:
    """Return in words where two forms differ, in the order of the names."""
    lines = []
    for name in sorted({*found, *assumed}):
        ours, theirs = assumed.get(name), found.get(name)
        if ours != theirs:
            lines.append(f"{name}: {_shown(theirs)}, not {_shown(ours)}")
    return tuple(lines)


def in_words(shape: dict[str, Scalar]) -> str:
    """Return a form as people read it."""
    return ", ".join(f"{name} {_shown(value)}" for name, value in shape.items())


def normal_text(text: str) -> str:
    """Return a text of the venue without the ids and numbers that differ each time."""
    bare = NUMBER.sub("#", UUID.sub("<uuid>", HEX.sub("<id>", text)))
    return bare[:TEXT_SHOWN_MAX]


def field(body: Any, *names: str) -> Any:
    """Return a member of a JSON answer by its path, None where there is no such member."""
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def kind_of(value: Any) -> str:
    """Return the JSON type of a value, and for a text whether it is a number."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str() if not value:
            return "empty text"
        case str() if value.isascii() and value.isdigit():
            return "text of a whole number"
        case str() if NUMBER.fullmatch(value):
            return "text of a decimal"
        case str():
            return "text"
        case list():
            return "array"
        case _:
            return "object"


def broad_kind_of(value: Any) -> str:
    """Return the JSON type of a value whose text may be a whole number or not."""
    kind = kind_of(value)
    return "text of a number" if kind.startswith("text of a") else kind


def _shown(value: Scalar | None) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)

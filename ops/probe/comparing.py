"""Two sessions beside one another: by their answers, and by the forms of all that was said.

Reads what two sessions have written; asks nobody. Values that must differ (ids, prices,
moments) are not compared: only which answer a question had, which status and text a request,
and which members of which types a body or a frame.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ops.probe.answers import broad_kind_of, differences, field, kind_of, normal_text
from ops.probe.session import ANSWERS_FILE, Session
from ops.probe.transcript import FILE

TEXT_MEMBERS = ("error", "errorMsg", "error_msg")
"""Texts of the venue's that mean something by their words."""

KINDS = ("event_type", "op", "type", "channel")
"""What tells one frame from another."""

DEPTH_MAX = 4
FORMS_MAX = 4_000

Forms = dict[str, set[str]]


class NoSession(Exception):
    """Local: a directory holds no session that can be read."""


class Difference(msgspec.Struct, frozen=True):
    """One thing in which two sessions differ.

    Attributes:
        where: A question, a request, or a kind of frame.
        here: In the first session; there: in the other. Empty for nothing.
    """

    where: str
    here: str
    there: str


def compare(here: Path, there: Path) -> tuple[Difference, ...]:
    """Return everything in which two sessions differ in form.

    Raises:
        NoSession: One of them cannot be read.
    """
    found = list(_answers(read_session(here), read_session(there)))
    ours, theirs = forms_of(_lines(here)), forms_of(_lines(there))
    # Only what both have asked: a question left out says nothing.
    for where in sorted({*ours} & {*theirs}):
        only_ours, only_theirs = ours[where] - theirs[where], theirs[where] - ours[where]
        if only_ours or only_theirs:
            found.append(
                Difference(where, "; ".join(sorted(only_ours)), "; ".join(sorted(only_theirs)))
            )
    return tuple(found)


def read_session(directory: Path) -> Session:
    """Return what a session came to.

    Raises:
        NoSession: The directory holds none.
    """
    try:
        return msgspec.json.decode((directory / ANSWERS_FILE).read_bytes(), type=Session)
    except (OSError, msgspec.DecodeError) as error:
        raise NoSession(f"{directory} holds no session: {error}") from None


def forms_of(lines: Iterable[dict[str, Any]]) -> Forms:
    """Return the forms that were seen, by the label of a request or the kind of a frame."""
    found: Forms = {}
    for line in lines:
        label, kind = str(line.get("label")), line.get("kind")
        if kind == "response":
            body = _decode(line.get("body"))
            words = [f"http {line.get('status')}", *_texts(body)]
            _add(found, f"answer {label}", [" ".join(words), *shapes(body)])
        elif kind == "frame":
            body = _decode(line.get("text"))
            for one in body if isinstance(body, list) else [body]:
                _add(found, f"frame {label.split('.')[0]} {_kind(one)}", shapes(one))
    return found


def shapes(value: Any, path: str = "", depth: int = DEPTH_MAX) -> list[str]:
    """Return the members of a value with their types, one line each."""
    match value:
        case dict() if depth:
            lines = []
            for name in sorted(value, key=str):
                lines += shapes(value[name], f"{path}.{normal_text(str(name))}", depth - 1)
            return lines
        case list() if depth:
            # Empty lists say nothing of their rows.
            return sorted({line for row in value for line in shapes(row, f"{path}[]", depth - 1)})
        case _:
            return [f"{path or 'body'}: {broad_kind_of(value)}"]


def _answers(here: Session, there: Session) -> Iterator[Difference]:
    others = {row.question: row.answer for row in there.rows}
    for row in here.rows:
        other = others.get(row.question)
        if row.answer is None or other is None:
            continue
        for words in differences(row.answer.shape, other.shape):
            name, _, values = words.partition(": ")
            ours, _, theirs = values.partition(", not ")
            yield Difference(f"question {row.question}, {name}", ours, theirs)


def _texts(body: Any) -> list[str]:
    found = [field(body, name) for name in TEXT_MEMBERS]
    refused = field(body, "not_canceled")
    found += list(refused.values()) if isinstance(refused, dict) else []
    return [normal_text(text) for text in found if isinstance(text, str) and text]


def _kind(value: Any) -> str:
    names = [str(field(value, name)) for name in KINDS if field(value, name) is not None]
    return " ".join(names) or kind_of(value)


def _add(found: Forms, where: str, forms: Iterable[str]) -> None:
    if len(found) < FORMS_MAX:
        found.setdefault(where, set()).update(forms)


def _decode(text: Any) -> Any:
    try:
        return msgspec.json.decode(text) if isinstance(text, str) else None
    except msgspec.DecodeError:
        return text


def _lines(directory: Path) -> Iterator[dict[str, Any]]:
    try:
        with (directory / FILE).open("rb") as file:
            for line in file:
                yield msgspec.json.decode(line, type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise NoSession(f"{directory / FILE}: {error}") from None

"""What is kept of a session: everything but secrets; and how two sessions are compared."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops.probe.answers import Answer, Row
from ops.probe.comparing import Difference, NoSession, compare, forms_of, shapes
from ops.probe.guarding import Zero
from ops.probe.redact import HIDDEN, Redactor
from ops.probe.session import ANSWERS_FILE, Cost, Session
from ops.probe.transcript import FILE, Transcript
from shared.units import MoneyE6
from shared.venue.auth import Credentials, request_headers

WHO = Credentials(
    "0x" + "a1" * 20, "0f0e0d0c-1111-4222-8333-444455556666", "c2VjcmV0LTEyMw==", "pass-7f"
)
SECRETS = (WHO.api_key, WHO.secret, WHO.passphrase)


def redactor() -> Redactor:
    made = Redactor()
    made.know(WHO)
    return made


@pytest.mark.req("NET-7")
def test_no_secret_and_no_signature_of_a_request_is_kept(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path, redactor())
    headers = request_headers(WHO, 1_790_000_000, "POST", "/order", b"{}")
    body = json.dumps({"owner": WHO.api_key, "order": {"signature": "0x" + "5a" * 65}})
    transcript.request("rest", "POST", "http://venue/order", headers, body.encode())
    answer = json.dumps({"apiKey": "other-key", "secret": "other", "passphrase": "other"})
    transcript.response("rest", 200, {"Set-Cookie": "session=1"}, answer, 1.0)
    auth = {"apiKey": WHO.api_key, "secret": WHO.secret, "passphrase": WHO.passphrase}
    transcript.sent("user", json.dumps({"type": "user", "auth": auth}))
    transcript.frame("user", json.dumps({"owner": WHO.api_key, "note": f"x{WHO.secret}x"}))
    transcript.note("why", f"refused {WHO.passphrase}")
    transcript.close()
    text = (tmp_path / FILE).read_text()
    hidden = (*SECRETS, headers["POLY_SIGNATURE"], "5a5a", "other", "session=1")
    assert [secret for secret in hidden if secret in text] == []
    assert text.count(HIDDEN) >= 12
    assert "POST" in text
    assert WHO.address in text, "the wallet is public"


def test_record_is_for_its_owner_alone_and_ends_with_its_file(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path, redactor())
    transcript.note("a", "b")
    transcript.close()
    transcript.note("late", "lost")
    transcript.close()
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [(line["n"], line["kind"], line["label"]) for line in lines] == [(1, "note", "a")]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


# --- comparing ---


def line(kind: str, label: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "label": label, **fields}


def answer(label: str, status: int, body: object) -> dict[str, Any]:
    return line("response", label, status=status, body=json.dumps(body))


def write(directory: Path, lines: list[dict[str, Any]], *rows: Row) -> Path:
    directory.mkdir()
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (directory / FILE).write_text(text)
    cost = Cost("m", 1, MoneyE6(1), MoneyE6(0), 1)
    session = Session(1, "http://v", "m", cost, "complete", Zero(True, "", 0), 1, rows)
    (directory / ANSWERS_FILE).write_bytes(msgspec.json.encode(session))
    return directory


def row(http: int) -> Row:
    return Row(
        "unknown_order", "agrees", Answer("unknown_order", {"http": http}, {"ms": http}), "", ()
    )


@pytest.mark.req("VEN-9")
def test_sessions_that_differ_in_values_alone_do_not_differ(tmp_path: Path) -> None:
    one = [
        answer("rest", 200, {"orderID": "0x" + "1" * 64, "size": "5", "ids": []}),
        answer("bad", 400, {"error": "Price (0.015) breaks 0.01"}),
        line("frame", "user", text=json.dumps({"event_type": "order", "price": "0.01"})),
    ]
    two = [
        answer("rest", 200, {"orderID": "0x" + "2" * 64, "size": "5.5", "ids": []}),
        answer("bad", 400, {"error": "Price (0.025) breaks 0.01"}),
        line("frame", "user", text=json.dumps({"event_type": "order", "price": "0.5"})),
        answer("only.there", 500, {}),
    ]
    here, there = write(tmp_path / "a", one, row(404)), write(tmp_path / "b", two, row(404))
    assert compare(here, there) == ()


@pytest.mark.req("VEN-9")
def test_sessions_are_compared_by_answer_status_text_member_and_type(tmp_path: Path) -> None:
    one = [
        answer("rest", 200, {"size": "5"}),
        answer("bad", 400, {"error": "off the tick"}),
        answer("gone", 404, {"error": "x"}),
        line("frame", "user", text=json.dumps({"event_type": "order", "type": "UPDATE"})),
    ]
    two = [
        answer("rest", 200, {"size": 5}),
        answer("bad", 400, {"error": "breaks the tick"}),
        answer("gone", 200, None),
        line("frame", "user", text=json.dumps({"event_type": "order", "type": "UPDATE", "x": []})),
        line("frame", "user", text=json.dumps([{"event_type": "order", "type": "UPDATE", "x": 1}])),
    ]
    here, there = write(tmp_path / "a", one, row(404)), write(tmp_path / "b", two, row(200))
    found = compare(here, there)
    assert found[0] == Difference("question unknown_order, http", "404", "200")
    told = {one.where: (one.here, one.there) for one in found[1:]}
    assert told == {
        "answer bad": ("http 400 off the tick", "http 400 breaks the tick"),
        "answer gone": (".error: text; http 404 x", "body: null; http 200"),
        "answer rest": (".size: text of a number", ".size: number"),
        "frame user order UPDATE": ("", ".x: number"),
    }


def test_directory_without_a_session_is_said_to_hold_none(tmp_path: Path) -> None:
    with pytest.raises(NoSession):
        compare(tmp_path, tmp_path)


def test_shapes_go_down_into_rows_and_no_deeper_than_their_bound() -> None:
    assert shapes({"a": [{"b": 1}, {"b": "x"}]}) == [".a[].b: number", ".a[].b: text"]
    deep: Any = {"a": {"b": {"c": {"d": {"e": 1}}}}}
    assert shapes(deep) == [".a.b.c.d: object"]


def test_what_is_no_json_has_a_form_too() -> None:
    lines = [line("response", "html", status=502, body="<html>"), line("frame", "s", text="PONG")]
    assert forms_of(lines) == {
        "answer html": {"http 502", "body: text"},
        "frame s text": {"body: text"},
    }

"""A first session against the real simulator process: what it finds, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bus.credentials import Missing, read_credentials
from bus.locks import FileLock, make_private_directory
from ops.keys import make_throwaway_key, read_key
from ops.launch import account_lock_path
from ops.waiting import wait_for
from tests.architecture.tree import ROOT
from tests.processes.group import GroupUnderTest, Ran

RESTS_WITHIN_S = 60.0
ZERO_WITHIN_S = 30.0
WHOLE_S = 400.0
WHOLE = os.environ.get("INTERLOCK_PROBE_WHOLE") == "1"
"""Whether an order is watched to its end, which takes two minutes: in `make endurance`."""


def probe(group: GroupUnderTest, *words: str, within_s: float = 120.0) -> Ran:
    """Run a session at the group's venue, with no group alive."""
    return group.command(*arguments(group), *words, within_s=within_s)


def arguments(group: GroupUnderTest) -> tuple[str, ...]:
    profile, data = str(group.profile), str(group.data)
    return ("probe", "--profile", profile, "--data-directory", data, "--yes", "--json")


def verdicts(ran: Ran) -> dict[str, str]:
    """Return the verdict of every question that was asked."""
    rows = ran.json["session"]["rows"]
    return {row["question"]: row["verdict"] for row in rows if row["verdict"] != "not asked"}


def only(*questions: str) -> list[str]:
    return [word for question in questions for word in ("--only", question)]


@pytest.mark.req("VEN-9")
@pytest.mark.req("NET-7")
def test_session_shows_where_the_venue_differs_and_keeps_no_secret(
    own_group: GroupUnderTest,
) -> None:
    """Another rejection text, and a cancel of single orders that is refused."""
    group = own_group
    asked = only("refused_cross", "cancel_texts", "batch_atomicity", "unknown_order")
    before = probe(group, *asked)
    assert before.status == 0, repr(before)
    assert set(verdicts(before).values()) == {"agrees"}
    text = {"kind": "refuse", "status": 400, "text": "new words"}
    group.venue.fault(**text, method="POST", path="/order", count=2)
    group.venue.fault(**text, method="DELETE", path="/order")
    ran = probe(group, *asked, "--skip", "refused_cross", "--against", before.json["directory"])
    assert ran.status == 0, "zero is proven by another way to cancel"
    assert ran.json["session"]["zero"]["proven"]
    assert verdicts(ran)["cancel_texts"] == "differs"
    told = {row["where"]: (row["here"], row["there"]) for row in ran.json["differences"]}
    assert "http 400 new words" in told["answer rest.cancel"][0]
    assert "http 200" in told["answer rest.cancel"][1]
    assert any(where.startswith("question cancel_texts") for where in told)
    assert group.venue.open_orders().open == {}
    _find_no_secret(group, Path(ran.json["directory"]))
    _find_no_secret(group, Path(before.json["directory"]))


def _find_no_secret(group: GroupUnderTest, directory: Path) -> None:
    """Look for the key and the credentials in every file of a session."""
    found = read_credentials(group.data / "credentials.json")
    assert not isinstance(found, Missing)
    key = (group.data / "key.hex").read_text().strip()
    secrets = [found.api_key, found.secret, found.passphrase, key]
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {"session.jsonl", "answers.json"} <= {path.name for path in files}
    for path in files:
        text = path.read_text()
        assert not [secret for secret in secrets if secret in text], path
        assert '"signature":"0x' not in text.replace("\\", "").replace(" ", "")


@pytest.mark.req("VEN-9")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_session_interrupted_in_the_middle_leaves_no_open_order(
    own_group: GroupUnderTest, number: signal.Signals
) -> None:
    group = own_group
    process = start(group, *only("gtd_end"))
    assert wait_for(lambda: group.venue.open_orders().open or None, RESTS_WITHIN_S), (
        "an order rests"
    )
    process.send_signal(number)
    process.send_signal(number)
    out, _ = process.communicate(timeout=ZERO_WITHIN_S)
    assert process.returncode == 1
    session: Any = json.loads(out)["session"]
    assert session["ended"] == f"interrupted: {number.name}"
    assert session["zero"] == {"proven": True, "why": "", "canceled": 1}
    assert group.venue.open_orders().open == {}


def start(group: GroupUnderTest, *words: str) -> subprocess.Popen[str]:
    """Start a session and leave it running."""
    known = {name: text for name, text in os.environ.items() if "INTERLOCK" not in name}
    command = [sys.executable, "-m", "ops.cli", *arguments(group), *words]
    return subprocess.Popen(
        [*command, "--run-directory", str(group.run)],
        env=known | {"PYTHONPATH": str(ROOT)},
        cwd=group.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.req("VEN-9")
def test_session_is_refused_beside_a_group_and_beside_orders_and_above_its_limit(
    own_group: GroupUnderTest,
) -> None:
    group = own_group
    group.data.mkdir(mode=0o700)
    make_throwaway_key(group.data / "key.hex")
    path = account_lock_path(read_key(group.data / "key.hex").address, group.venue.url)
    make_private_directory(path.parent)
    held = FileLock(path, "a group")
    beside = probe(group, *only("unknown_order"))
    held.close()
    assert (beside.status, beside.json["ok"]) == (3, False)
    assert "already running" in beside.json["why"]
    dear = probe(group, *only("amount_scale"), "--take", "--money-max", "1")
    assert dear.status == 3
    assert "above the limit of 1.00 USD" in dear.json["why"]
    assert group.venue.open_orders().open == {}
    unasked = group.command(*(word for word in arguments(group) if word != "--yes"))
    assert unasked.status == 3
    assert "not agreed to" in unasked.json["why"]
    killed = start(group, *only("gtd_end"))
    assert wait_for(lambda: group.venue.open_orders().open or None, RESTS_WITHIN_S)
    killed.kill()
    killed.communicate()
    left = probe(group, *only("unknown_order"))
    assert left.status == 3
    assert "1 orders of the account are open" in left.json["why"]


@pytest.mark.timeout(WHOLE_S)
@pytest.mark.req("VEN-9")
def test_simulator_answers_every_question_as_the_table_says_it_does(tmp_path: Path) -> None:
    """In mode simulation it brings a simulator of its own, and needs no more than --yes."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "ops.cli", "probe", "--yes", "--take", "--json"),
            *("--profile", str(ROOT / "ops" / "sim.toml"), "--data-directory", str(tmp_path)),
            *("--run-directory", str(tmp_path / "run")),
            *(() if WHOLE else ("--skip", "gtd_end")),
        ],
        env={name: text for name, text in os.environ.items() if "INTERLOCK" not in name}
        | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WHOLE_S,
        check=False,
    )
    told = json.loads(ran.stdout)
    assert ran.returncode == 0, ran.stdout
    others = [row for row in told["session"]["rows"] if row["verdict"] != "agrees"]
    assert others == [] if WHOLE else [row["question"] for row in others] == ["gtd_end"]
    assert told["session"]["zero"]["proven"]

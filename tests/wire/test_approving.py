"""`interlock approve` at the simulated chain and relayer: every kind of wallet, every way out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bus.credentials import write_credentials, write_private
from ops.cli.approve import command
from ops.doctor import examine
from ops.keys import Key
from services.simulator.keys import Keys
from shared.venue.approvals import TRADING
from shared.venue.wallets import maker_address
from tests.builders.clob_server import Server, refusal, serving

KINDS = ["eoa", "proxy", "safe", "deposit"]
NUMBER = 4_242
SECRET = NUMBER.to_bytes(32, "big")
KEY = Key(SECRET)

PROFILE = """
[run]
profile = "approving"
run_directory = "{directory}/run"
data_directory = "{directory}"
[account]
key_file = "key.hex"
credentials_file = "credentials.json"
wallet_kind = "{kind}"
wallet_address = "{wallet}"
[venue]
clob_url = "{url}"
discovery_url = "{url}"
geoblock_url = "{url}"
market_socket_url = "ws://127.0.0.1:1"
user_socket_url = "ws://127.0.0.1:1"
price_socket_url = "ws://127.0.0.1:1"
rpc_url = "{url}/rpc"
relayer_url = "{url}/relayer"
chain_id = {chain}
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a venue at which nobody has approved anything, nor has a deposit wallet."""
    directory = tmp_path_factory.mktemp("bare")
    with serving(directory, approvals="missing", deposit_wallets="undeployed") as server:
        yield server


def approve(
    directory: Path, server: Server, kind: str, *options: str, **spoil: Any
) -> tuple[Result, Any]:
    """Run the command; return its result and what it printed as JSON."""
    wallet = "" if kind == "eoa" else maker_address(KINDS.index(kind), KEY.address)
    fields = {"directory": directory, "kind": kind, "wallet": wallet, "url": server.url}
    profile = directory / "profile.toml"
    profile.write_text(PROFILE.format_map(fields | {"chain": 137} | spoil))
    write_private(directory / "key.hex", SECRET.hex().encode())
    write_credentials(directory / "credentials.json", Keys(1, 60).derive(KEY.address, 0))
    run = CliRunner().invoke(command, ["--profile", str(profile), "--json", *options])
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    return run, json.loads(run.stdout)


@pytest.mark.req("VEN-3")
@pytest.mark.req("VEN-7")
@pytest.mark.parametrize("kind", KINDS)
def test_missing_approvals_are_given_and_orders_pass_after_it(
    tmp_path: Path, bare: Server, kind: str
) -> None:
    trader = bare.trader(KINDS.index(kind), NUMBER)
    markets = [bare.market(protocol) for protocol in ("v1", "neg_risk", "v2")]
    if kind != "deposit":
        status, text = refusal(trader.post, markets[0], "BUY", 0.2, 10)
        assert (status, "the allowance is not enough" in text) == (400, True)
    dry, shown = approve(tmp_path, bare, kind, "--dry-run")
    assert (dry.exit_code, shown["ok"], shown["transactions"]) == (1, False, [])
    assert [row["stands"] for row in shown["approvals"]] == [False] * len(TRADING)
    run, told = approve(tmp_path, bare, kind)
    assert (run.exit_code, told["ok"]) == (0, True), told
    assert all(row["stands"] for row in told["approvals"])
    count = {"eoa": len(TRADING), "deposit": 2}.get(kind, 1)
    assert [one["holds"] for one in told["transactions"]] == [True] * count
    for market in markets:
        trader.rest(market, "BUY", 0.2, 10)
    trader.client.cancel_all()
    again, nothing = approve(tmp_path, bare, kind)
    assert (again.exit_code, nothing["transactions"]) == (0, [])


@pytest.mark.req("VEN-7")
def test_only_what_is_missing_is_given(tmp_path: Path, server_with_all: Server) -> None:
    server_with_all.trader(0, NUMBER)
    revoked = TRADING[4]
    server_with_all.admin(
        "allowance",
        account=KEY.address.lower(),
        spender=revoked.spender,
        amount=0,
        conditional=True,
    )
    run, told = approve(tmp_path, server_with_all, "eoa")
    assert run.exit_code == 0
    assert [one["what"] for one in told["transactions"]] == [revoked.words]


@pytest.fixture
def server_with_all(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as server:
        yield server


@pytest.mark.req("VEN-7")
@pytest.mark.parametrize(
    ("kind", "spoil", "why"),
    [
        ("eoa", {"chain": 80_002}, "the node is on chain 137, not 80002"),
        ("eoa", {"wallet": "0x" + "11" * 20}, "is not the eoa wallet of the key"),
        ("safe", {"wallet": "0x" + "11" * 20}, "is not the safe wallet of the key"),
        ("eoa", {"url": "http://127.0.0.1:1"}, "the node does not answer"),
    ],
)
def test_nothing_is_given_where_something_does_not_fit(
    tmp_path: Path, bare: Server, kind: str, spoil: dict[str, Any], why: str
) -> None:
    run, told = approve(tmp_path, bare, kind, **spoil)
    assert run.exit_code == 1
    assert why in told["why"]
    assert SECRET.hex() not in run.output


@pytest.mark.req("VEN-7")
def test_contract_that_is_not_there_any_more_is_approved_nothing(
    tmp_path: Path, bare: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.approvals.TRADED", (("0x" + "ab" * 20, "ExchangeV4"),))
    run, told = approve(tmp_path, bare, "eoa")
    assert run.exit_code == 1
    assert "which should be ExchangeV4: it changed" in told["why"]


@pytest.mark.req("VEN-7")
def test_doctor_names_what_is_missing_and_the_command_that_mends_it(
    tmp_path: Path, bare: Server
) -> None:
    approve(tmp_path, bare, "safe", "--dry-run")
    profile = tmp_path / "profile.toml"
    before = {row.name: row for row in examine(profile, {})}
    assert before["contracts"].holds
    assert before["order version"].holds
    assert before["exchanges"].holds
    assert before["balance"].holds
    assert before["approvals"].holds in (True, False)
    bare.admin(
        "allowance",
        account=maker_address(2, KEY.address),
        spender=TRADING[1].spender,
        amount=0,
        conditional=False,
    )
    after = {row.name: row for row in examine(profile, {})}
    assert after["approvals"].holds is False
    assert TRADING[1].words in after["approvals"].detail
    assert "run `interlock approve`" in after["approvals"].detail

import pytest

from bus.connection import Origin
from shared.config import Config, Finding, is_loopback, parse
from tests.architecture.tree import ROOT


def text_of(name: str) -> str:
    return (ROOT / "ops" / f"{name}.toml").read_text(encoding="utf-8")


def findings(text: str) -> dict[str, str]:
    found = parse(text)
    assert not isinstance(found, Config)
    return {finding.where: finding.what for finding in found}


@pytest.mark.parametrize("name", ["sim", "replay", "paper"])
def test_shipped_profiles_are_right(name: str) -> None:
    assert isinstance(parse(text_of(name)), Config)


@pytest.mark.req("EX-21")
@pytest.mark.parametrize("name", ["clob_url", "user_socket_url"])
@pytest.mark.parametrize(
    "host",
    [
        "clob.polymarket.com",
        "127.0.0.1.example.com",
        "127.0.0.1@clob.polymarket.com",
        "localhost.polymarket.com",
        "0.0.0.0",
        "10.0.0.1",
        "[::ffff:10.0.0.1]",
    ],
)
def test_paper_reaches_nobody_else_with_an_order(name: str, host: str) -> None:
    text = text_of("paper")
    scheme = "http" if name == "clob_url" else "ws"
    spoiled = text.replace(f'{name} = "{scheme}://127.0.0.1', f'{name} = "{scheme}://{host}')
    assert spoiled != text
    found = findings(spoiled)
    assert set(found) == {f"venue.{name}"}
    assert "loopback" in found[f"venue.{name}"]


@pytest.mark.req("EX-21")
@pytest.mark.parametrize("mode", ["sim", "replay"])
@pytest.mark.parametrize("name", ["discovery_url", "market_socket_url", "price_socket_url"])
def test_modes_without_real_feeds_have_no_remote_endpoint(mode: str, name: str) -> None:
    text = text_of(mode)
    lines = [
        f'{name} = "wss://ws-live-v2.polymarket.com/ws"' if line.startswith(name) else line
        for line in text.splitlines()
    ]
    assert set(findings("\n".join(lines))) == {f"venue.{name}"}


def test_paper_needs_real_books_and_credentials_of_its_own() -> None:
    lines = [
        line
        for line in text_of("paper").splitlines()
        if not line.startswith(("books_url", "price_credentials_file"))
    ]
    found = findings("\n".join(lines))
    assert set(found) == {"venue.books_url", "account.price_credentials_file"}


def test_replay_needs_a_recording() -> None:
    text = text_of("replay").replace('recording = "recording.jsonl"', "")
    assert findings(text) == {"mirror.recording": "mode replay needs a file to play"}


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:18080", True),
        ("ws://localhost:1/ws", True),
        ("http://[::1]:18080", True),
        ("http://127.9.9.9", True),
        ("https://polymarket.com", False),
        ("127.0.0.1:18080", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_loopback_is_told_by_the_host_alone(url: str, here: bool) -> None:
    assert is_loopback(url) is here


def test_check_and_client_agree_on_who_is_meant() -> None:
    url = "http://127.0.0.1@clob.polymarket.com:80"
    assert Origin.of(url).host == "clob.polymarket.com"
    assert not is_loopback(url)


def test_finding_names_mode_and_address() -> None:
    text = text_of("paper").replace("http://127.0.0.1:18081", "https://clob.polymarket.com")
    found = parse(text)
    assert found == (
        Finding(
            "venue.clob_url",
            "mode paper needs a loopback address, not https://clob.polymarket.com",
        ),
    )

"""A session's socket and requests against servers played by hand: what is heard, what is silent."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.server import Server, ServerConnection, serve

from ops.probe.asking import Asker, Silent
from ops.probe.listening import Ear
from ops.probe.redact import Redactor
from ops.probe.transcript import FILE, Transcript
from shared.venue.auth import Credentials
from tests.builders.raw_server import RawServer

WAIT_S = 60.0
WHO = Credentials("0x" + "a1" * 20, "api-key-1", "c2VjcmV0", "passphrase-1")


def handle(connection: ServerConnection) -> None:
    """Answer PING, repeat what is said in an array, and close when asked to."""
    for text in connection:
        if text == "PING":
            connection.send("PONG")
        elif text == "close":
            connection.close(4001, "go away")
        else:
            connection.send(json.dumps([{"said": text}, "no object"]))


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(handle, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join(WAIT_S)


@pytest.fixture
def transcript(tmp_path: Path) -> Iterator[Transcript]:
    made = Transcript(tmp_path, Redactor())
    yield made
    made.close()


def url_of(server: Server) -> str:
    return f"ws://127.0.0.1:{server.socket.getsockname()[1]}"


def kinds(directory: Path) -> list[str]:
    lines = (directory / FILE).read_text().splitlines()
    return [json.loads(line)["kind"] for line in lines]


@pytest.mark.req("VEN-9")
def test_every_frame_is_heard_and_kept_and_the_end_is_told(
    server: Server, transcript: Transcript, tmp_path: Path
) -> None:
    with Ear("user", url_of(server), transcript) as ear:
        sent_ns = ear.send("hello")
        heard = ear.wait_for(lambda frame: bool(frame.objects()), WAIT_S)
        assert heard is not None
        assert heard.objects() == [{"said": "hello"}]
        assert heard.at_ns > sent_ns
        ear.send("close")
        assert ear.wait_for_end(WAIT_S) == (4001, "go away")
        assert ear.wait_for(lambda frame: frame.text == "never", WAIT_S) is None, "at once"
        with pytest.raises(Silent):
            ear.send("late")
    assert kinds(tmp_path) == ["note", "sent", "frame", "sent", "note", "sent"]


def test_socket_that_pings_by_itself_stays_alive_unasked(
    server: Server, transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.probe.listening.PING_EVERY_S", 0.05)
    with Ear("user", url_of(server), transcript, pings=True) as ear:
        assert ear.wait_for(lambda frame: frame.text == "PONG", WAIT_S) is not None


def test_venue_that_does_not_answer_is_silent_and_never_empty(
    transcript: Transcript, tmp_path: Path
) -> None:
    closed = RawServer()
    url = closed.url
    closed.close()
    with pytest.raises(Silent):
        Ear("user", url.replace("http", "ws"), transcript)
    asker = Asker(url, WHO, transcript)
    with pytest.raises(Silent):
        asker.ask("rest", "GET", "/data/orders")
    asker.close()
    assert asker.replies == []
    assert kinds(tmp_path) == ["note", "request", "note"]

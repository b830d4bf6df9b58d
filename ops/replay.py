"""Makes the profile of a replay: the shipped one, with a file and its own directories put in."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bus.locks import make_private_directory
from bus.settings import SOURCE_ROOT

SHIPPED = SOURCE_ROOT / "ops" / "replay.toml"
PROFILE_FILE = "replay.toml"
RUN_DEFAULT = "run-replay"
_PORT = "18082"
_PAGE_PORT = "18092"
_PAGE_PORT_AWAY = 10


class Choice(msgspec.Struct, frozen=True):
    """What is to be replayed, and how.

    Attributes:
        recording: Recorded frames, JSON lines.
        market: The recorded market's description, None when there is none.
        speed: 2.0 is twice as fast as it was.
        port: Of the simulated venue, the page's is ten higher; None for the shipped profile's.
        start_after_ms: From the first reader of books to the second frame; None likewise.
    """

    recording: Path
    market: Path | None = None
    speed: float = 1.0
    port: int | None = None
    start_after_ms: int | None = None


def profile_text(choice: Choice) -> str:
    """Return the profile of a replay."""
    market = "" if choice.market is None else str(choice.market.absolute())
    text = SHIPPED.read_text(encoding="utf-8")
    text = _put(text, "recording", json.dumps(str(choice.recording.absolute())))
    text = _put(text, "recorded_market", json.dumps(market))
    text = _put(text, "speed", repr(float(choice.speed)))
    if choice.start_after_ms is not None:
        text += f"start_after_ms = {choice.start_after_ms}\n"
    if choice.port is None:
        return text
    page = str(choice.port + _PAGE_PORT_AWAY)
    return text.replace(_PAGE_PORT, page).replace(_PORT, str(choice.port))


def write_profile(choice: Choice, run_directory: Path) -> Path:
    """Write the profile of a replay into its run directory.

    Raises:
        LockFault: The directory is not ours alone.
        OSError: It takes no file.
    """
    make_private_directory(run_directory)
    path = run_directory / PROFILE_FILE
    path.write_text(profile_text(choice), encoding="utf-8")
    return path


def data_directory(run_directory: Path, wall_ns: int) -> Path:
    """Return a data directory of this replay alone: an older ledger knows its market as ended."""
    moment = datetime.fromtimestamp(wall_ns // 10**9, UTC)
    return run_directory / f"data-{moment:%Y%m%dT%H%M%S}"


def _put(text: str, key: str, value: str) -> str:
    """Replace the value of a key that the shipped profile has exactly once."""
    put, count = re.subn(rf"(?m)^{key} = .*$", lambda _: f"{key} = {value}", text)
    assert count == 1, f"{key} is once in {SHIPPED.name}"
    return put

from pathlib import Path

import msgspec
import pytest

from services.recorder.__main__ import main
from shared.recording import MAGIC, Head, Seal, frame
from shared.units import MonotonicNs

WHOLE = MAGIC + frame(Head(1, 7, 2, MonotonicNs(3))) + frame(Seal(1))


def test_whole_recording_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(WHOLE)
    assert main(["verify", str(path)]) == 0
    line = msgspec.json.decode(capsys.readouterr().out)
    assert (line["file"], line["sealed"], line["problem"]) == (str(path), True, "")


@pytest.mark.parametrize("content", [WHOLE[:-1], MAGIC, b"something else"])
def test_recording_that_is_not_whole_fails(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 1


def test_missing_recording_fails_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "none.ilr")]) == 1
    assert "No such file" in capsys.readouterr().out
    assert main(["verify"]) == 1


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["play"])

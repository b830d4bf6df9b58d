"""Reads recordings from files, plain or compressed. Impure; what they say is read elsewhere."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from services.simulator.oracles.markets_file import RecordedMarket, read_markets
from services.simulator.oracles.prices_file import Unreadable, read_prices
from services.simulator.oracles.recording import Recording, make_recording
from shared.config import Config

T = TypeVar("T")
_GZIP = b"\x1f\x8b"


def load_recording(config: Config) -> Recording | None:
    """Return the recording that a configuration names, None when it names none.

    Paths are relative to the working directory.

    Raises:
        Unreadable: A file cannot be read, or what it says does not fit.
    """
    simulator = config.simulator
    if not simulator.prices_file:
        return None
    prices = read_file(Path(simulator.prices_file), read_prices)
    markets: tuple[RecordedMarket, ...] = ()
    if simulator.markets_file:
        markets = read_file(Path(simulator.markets_file), read_markets)
    return make_recording(
        prices,
        markets,
        asset=simulator.prices_asset,
        interval_s=config.markets.interval_s,
        speed=simulator.prices_speed,
        begin=simulator.prices_from,
    )


def read_file(path: Path, read: Callable[[str, Iterable[str]], T]) -> T:
    """Return what a pure reader makes of the lines of a file.

    Raises:
        Unreadable: The file cannot be read, or the reader refuses what it says.
    """
    try:
        with path.open("rb") as probe:
            is_compressed = probe.read(len(_GZIP)) == _GZIP
        opener = gzip.open if is_compressed else io.open
        with opener(path, "rt", encoding="utf-8") as lines:
            return read(str(path), lines)
    except (EOFError, zlib.error) as error:
        raise Unreadable(str(path), f"is damaged: {error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(str(path), f"is no text: {error.reason}") from error
    except OSError as error:
        raise Unreadable(str(path), f"cannot be read: {error.strerror or error}") from error

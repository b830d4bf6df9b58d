"""The recorded frames and answers beside the repository: every file, and who reads it.

They are no part of the project. A file that nobody is named for fails a test, so that a new
recording is either read or refused with a reason.
"""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
ABSENT = "no recordings of the venue"

MESSAGES = "nautilus_trader/python_resources/ws_messages"
ANSWERS = "nautilus_trader/python_resources/http_responses"
SESSIONS = "adriancova_polymarket-bot-v2"
SAMPLES = "Ligengxin96_polymarket-data-samples"
DOCUMENTED = "Polymarket_rs-clob-client/doc-example-payloads.json"
PRICE_HEAD = "Polymarket_ts-sdk/polybolt-head.json"
LEGACY_PRICES = "polyoxide/rtds-captured-2026-09-05.jsonl"
TICKS = f"{SAMPLES}/BTCUSD-prices-2026-07-24.csv.gz"

READ: dict[str, str] = {
    f"{MESSAGES}/book.json": "market",
    f"{MESSAGES}/last_trade_price.json": "market",
    f"{MESSAGES}/price_change_v2.json": "market",
    f"{MESSAGES}/tick_size_change.json": "market",
    f"{SESSIONS}/market-ws-btc15m-2026-09-30-first11.jsonl": "session",
    f"{SESSIONS}/ws-market-protocol-v2-2026-10-05.part.jsonl": "session",
    DOCUMENTED: "both sockets",
    f"{MESSAGES}/order_cancel.json": "user",
    f"{MESSAGES}/order_placement.json": "user",
    **{f"{MESSAGES}/user_trade{number}.json": "user" for number in (1, 2, 3, 4)},
    f"{SESSIONS}/gamma-market-v1-btc15m-2026-10-05.json": "discovery",
    f"{SAMPLES}/BTC-5m-markets-2026-07-24.jsonl.gz": "discovery",
    TICKS: "prices",
    PRICE_HEAD: "prices",
    LEGACY_PRICES: "legacy prices",
    **{
        f"Polymarket_py-sdk/data_v2/{name}.json": "data api"
        for name in ("positions", "trades", "value", "activity.first")
    },
}
"""By file, what it is read as."""

REFUSED: dict[str, str] = {
    f"{MESSAGES}/price_change.json": "a form of 2024: one level, and no list of changes",
    f"{MESSAGES}/trades.json": "a kind of 2024 that names itself nowhere",
    f"{ANSWERS}/book.json": "a book by request of 2024, without minimum size, step and kind",
    f"{ANSWERS}/event.json": "cut by its authors: markets without an id",
    f"{ANSWERS}/events_list.json": "cut by its authors: markets without an id",
    f"{ANSWERS}/market_slug.json": "token ids as an array; the venue sends them as text",
    f"{ANSWERS}/markets_list.json": "token ids as an array; the venue sends them as text",
    f"{ANSWERS}/market.json": "the long record of 2024; the venue has a compact one now",
    f"{ANSWERS}/markets.json": "the long records of 2024; the venue has compact ones now",
    f"{ANSWERS}/trades.json": "rows of the first data interface, which is not read",
}
"""By file, why it is not read: each is refused, and never read as something else."""

NOT_DATA = ("SOURCES.md", f"{SAMPLES}/manifest-2026-07-24.json")


def every_file() -> tuple[str, ...]:
    """Return the files that are there, by their paths."""
    found = (path.relative_to(CAPTURES).as_posix() for path in CAPTURES.rglob("*"))
    return tuple(sorted(name for name in found if (CAPTURES / name).is_file()))


def of_kind(kind: str) -> tuple[str, ...]:
    """Return the files that are read as something."""
    return tuple(name for name, known in READ.items() if known == kind)


def text_of(name: str) -> str:
    """Return what a file holds, unpacked."""
    path = CAPTURES / name
    if path.suffix != ".gz":
        return path.read_text(encoding="utf-8")
    with gzip.open(path, "rt", encoding="utf-8") as unpacked:
        return unpacked.read()


def frames_of(name: str) -> list[Any]:
    """Return the frames in a file of one frame, of an array, or of a line each."""
    text = text_of(name)
    if name.endswith(".json"):
        found = json.loads(text)
        return found if isinstance(found, list) else [found]
    return [json.loads(line) for line in text.splitlines()]


def session_texts(name: str) -> Iterator[str]:
    """Yield what a recorded socket received, as it came."""
    for row in frames_of(name):
        if row.get("dir", "recv") == "recv":
            yield row["payloadUtf8"] if "payloadUtf8" in row else row["data"]

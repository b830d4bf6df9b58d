"""Wrong frames out of right ones: bytes, JSON structure, numbers at limits, and false books.

A book frame may be hashed anew after it was changed, so that state has to judge what the hash
cannot.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from shared.units import SizeE6
from shared.venue.decimals import parse_scaled
from shared.venue.faults import WireFault
from tests.builders.market_feed import listed
from tests.fuzz.judge import plain_hash

AWKWARD: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    10**30,
    1e308,
    5e-324,
    -0.0,
    0.1,
    "",
    " ",
    "0",
    "1",
    "-1",
    "0.0001",
    "0.00001",
    "0.9999",
    "1.0000",
    "1e2",
    "NaN",
    "Infinity",
    "9" * 41,
    "0" * 40 + "1",
    "1000000000000.000001",
    "253402300800001",
    "99999999999",
    "100000000000",
    "\x00",
    "\N{ARABIC-INDIC DIGIT FIVE}",
    "\N{CYRILLIC SMALL LETTER A}",
    "x" * 3_000,
    [],
    {},
    [[]],
    [None],
    {"": None},
)
RAW = (
    "NaN",
    "-Infinity",
    "1e999",
    "-",
    "01",
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    "[" * 600,
    '{"a":' * 600,
    "9" * 5_000,
    "nul",
    "\ufeff",
    "/**/",
    "'",
)
"""Texts that no encoder would write, put in the place of a value."""

MARK = "\uffff"


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON document."""
    found = [path]
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, one in inner:
        found += places(one, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """Return a copy of a document with another value at a path."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def at_path(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def awkward(document: Any, chance: Random) -> str:
    """Put an awkward value in some place."""
    return dump(replaced(document, chance.choice(places(document)), chance.choice(AWKWARD)))


def raw(document: Any, chance: Random) -> str:
    """Put a text that is no JSON, or hardly one, in some place."""
    marked = dump(replaced(document, chance.choice(places(document)), MARK))
    return marked.replace(f'"{MARK}"', chance.choice(RAW), 1)


def moved(document: Any, chance: Random) -> str:
    """Put one value of the document where another was."""
    every = places(document)
    value = at_path(document, chance.choice(every))
    return dump(replaced(document, chance.choice(every), value))


def missing(document: Any, chance: Random) -> str:
    """Leave one key or element out, or rename it."""
    owners = [path for path in places(document) if at_path(document, path)]
    owners = [path for path in owners if isinstance(at_path(document, path), dict | list)]
    if not owners:
        return dump(document)
    path = chance.choice(owners)
    owner = at_path(document, path)
    if isinstance(owner, list):
        place = chance.randrange(len(owner))
        return dump(replaced(document, path, owner[:place] + owner[place + 1 :]))
    gone = chance.choice(list(owner))
    left = {key: value for key, value in owner.items() if key != gone}
    if chance.random() < 0.3:
        left[gone.upper()] = owner[gone]
    return dump(replaced(document, path, left))


def repeated(document: Any, chance: Random) -> str:
    """Repeat a list's element, or a key with another value: the later one counts in JSON."""
    lists = [path for path in places(document) if isinstance(at_path(document, path), list)]
    lists = [path for path in lists if at_path(document, path)]
    if lists and chance.random() < 0.7:
        path = chance.choice(lists)
        owner = at_path(document, path)
        return dump(replaced(document, path, [*owner, *owner * chance.choice((1, 2, 50))]))
    text = dump(document)
    if not isinstance(document, dict) or not document:
        return text
    key = chance.choice(list(document))
    return f"{text[:-1]},{json.dumps(key)}:{json.dumps(chance.choice(AWKWARD))}}}"


def stepped(document: Any, chance: Random) -> str:
    """Move a number by a little, or far."""
    numbers = [path for path in places(document) if is_number(at_path(document, path))]
    if not numbers:
        return dump(document)
    path = chance.choice(numbers)
    value = at_path(document, path)
    by = chance.choice((1, -1, 10, 1_000, 5_000, 5_001, -100_000, 10**9))
    number = float(value) + by
    near = f"{number:.6f}".rstrip("0").rstrip(".")
    return dump(replaced(document, path, near if isinstance(value, str) else number))


def wrapped(document: Any, chance: Random) -> str:
    """Put it in an array, twice, or deep inside."""
    text = dump(document)
    return chance.choice((f"[{text}]", f"[{text},{text}]", text * 2, f"[[{text}]]", text + "\r\n"))


def scratched(document: Any, chance: Random) -> str:
    """Change, cut or insert characters anywhere."""
    text = dump(document)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(text) + 1)
        piece = "".join(chance.choice('{}[]",:0123456789.eE-\\u \x7fé') for _ in range(3))
        text = text[:place] + chance.choice(("", piece)) + text[place + chance.randint(0, 4) :]
    return text[: chance.randrange(len(text) + 1)] if chance.random() < 0.2 else text


MUTATIONS: tuple[Callable[[Any, Random], str], ...] = (
    awkward,
    raw,
    moved,
    missing,
    repeated,
    stepped,
    wrapped,
    scratched,
)


def mutate(text: str, chance: Random) -> str:
    """Return a text that is wrong in one way, or right under a false hash made true."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return scratched(text, chance)
    wrong = chance.choice(MUTATIONS)(document, chance)
    return rehashed(wrong) if chance.random() < 0.5 else wrong


def rehashed(text: str) -> str:
    """Give every whole book in a frame the hash that it would have at the venue."""
    try:
        document = json.loads(text)
        frames = document if isinstance(document, list) else [document]
        for frame in frames:
            if frame.get("event_type") == "book":
                frame["hash"] = hash_of(frame)
        return dump(document)
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError, WireFault):
        return text


def hash_of(frame: dict[str, Any]) -> str:
    sides = tuple(
        {parse_scaled(row["price"], 4, ""): parse_scaled(row["size"], 6, "") for row in frame[side]}
        for side in ("bids", "asks")
    )
    tick = parse_scaled(frame.get("tick_size", "0.01"), 4, "")
    last = frame.get("last_trade_price", "")
    info = listed(min_size_e6=SizeE6(5_000_000))
    stamp = int(frame["timestamp"])
    return plain_hash(info, frame["asset_id"], stamp, (sides[0], sides[1]), tick, last)


def is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return abs(float(value)) < 1e15
    except ValueError:
        return False


def dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))

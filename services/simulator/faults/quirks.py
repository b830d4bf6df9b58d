"""Odd answers to orders that were taken all the same.

Only entries that say success are changed: a refusal stays one, since nothing that the venue
sends may say "refused" of an order that rests. Seen by users of the venue: a success without an
id (https://github.com/Polymarket/rs-clob-client/issues/114); the words of the other states are in
https://docs.polymarket.com/concepts/order-lifecycle (2026-09-28).
"""

from typing import Any

import msgspec

from services.simulator.answers import Answer
from shared.venue.wire import encode

NOTE = "order accepted; book is updating"
WORD = b'"OK"'

STATUSES = ("delayed", "unmatched")
QUIRKS = ("noted", "nameless", *STATUSES, "short", "word")


def quirk(answer: Answer, name: str) -> Answer:
    """Return an answer to one order, or to several, made odd in one of the ways."""
    decoded: Any = msgspec.json.decode(answer.body)
    rows = decoded if isinstance(decoded, list) else [decoded]
    taken = [row for row in rows if isinstance(row, dict) and row.get("orderID")]
    if not taken:
        return answer
    if name == "word":
        return msgspec.structs.replace(answer, body=WORD)
    if name == "short":
        rest = decoded[:-1] if isinstance(decoded, list) else {}
        return msgspec.structs.replace(answer, body=encode(rest))
    for row in taken:
        if name == "noted":
            row["errorMsg"] = NOTE
        elif name == "nameless":
            row["orderID"] = ""
        else:
            assert name in STATUSES
            row["status"] = name
    return msgspec.structs.replace(answer, body=encode(decoded))

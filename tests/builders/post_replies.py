"""Answers of the venue to a post, and what spoils them."""

import json

from shared.identifiers import OrderHash

ORDER = OrderHash("0x" + "ab" * 32)
OTHER = OrderHash("0x" + "cd" * 32)


def make_reply(**spoilt: object) -> dict[str, object]:
    reply: dict[str, object] = {
        "success": True,
        "errorMsg": "",
        "orderID": ORDER,
        "status": "live",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }
    return reply | spoilt


def make_refusal(text: str) -> dict[str, object]:
    return make_reply(success=False, errorMsg=text, orderID="", status="")


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def error(text: str) -> bytes:
    return body({"error": text})

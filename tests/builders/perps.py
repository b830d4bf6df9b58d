"""Frames of perpetual futures as Hyperliquid sends them; one keyword spoils one member."""

from typing import Any

from tests.builders.feeds import WALL_START_MS


def ctx(**spoil: Any) -> dict[str, Any]:
    """Return the numbers of a coin."""
    return {
        "funding": "0.0000061",
        "openInterest": "36100.25812",
        "prevDayPx": "79000.0",
        "dayNtlVlm": "4490636699.3287734985",
        "premium": "-0.0005540084",
        "oraclePx": "80684.7",
        "markPx": "80640.0",
        "midPx": "80639.5",
        "impactPxs": ["80637.2", "80640.0"],
        "dayBaseVlm": "56265.69068",
        **spoil,
    }


def context(coin: str = "BTC", **spoil: Any) -> dict[str, Any]:
    """Return a frame with the context of a coin."""
    return {"channel": "activeAssetCtx", "data": {"coin": coin, "ctx": ctx(**spoil)}}


def level(price: str, size: str = "1.5") -> dict[str, Any]:
    """Return one level of a book."""
    return {"px": price, "sz": size, "n": 2}


def book_data(
    coin: str = "BTC",
    milliseconds: int = 0,
    bids: tuple[str, ...] = ("80639.0", "80638.0"),
    asks: tuple[str, ...] = ("80640.0", "80641.0"),
) -> dict[str, Any]:
    """Return a book stamped so long after the start of a test."""
    levels = [[level(price) for price in side] for side in (bids, asks)]
    return {"coin": coin, "time": WALL_START_MS + milliseconds, "levels": levels}


def book(coin: str = "BTC", milliseconds: int = 0, **sides: Any) -> dict[str, Any]:
    """Return a frame with a book."""
    return {"channel": "l2Book", "data": book_data(coin, milliseconds, **sides)}


def trade(number: int, milliseconds: int = 0, **spoil: Any) -> dict[str, Any]:
    """Return one trade."""
    return {
        "coin": "BTC",
        "side": "B",
        "px": "80640.0",
        "sz": "0.25",
        "time": WALL_START_MS + milliseconds,
        "hash": "0x" + "ab" * 32,
        "tid": number,
        "users": ["0x" + "01" * 20, "0x" + "02" * 20],
        **spoil,
    }


def trades(*rows: dict[str, Any]) -> dict[str, Any]:
    """Return a frame with trades."""
    return {"channel": "trades", "data": list(rows)}


def contexts(*coins: str, **spoil: Any) -> list[Any]:
    """Return an answer to `metaAndAssetCtxs`."""
    universe = [{"name": coin, "szDecimals": 5, "maxLeverage": 40} for coin in coins]
    return [{"universe": universe, "marginTables": []}, [ctx(**spoil) for _ in coins]]

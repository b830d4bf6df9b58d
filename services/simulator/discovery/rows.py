"""Markets, events, series and tags as discovery writes them.

Fields, their types and their spelling follow recorded production answers: a market's lists are
JSON text inside JSON, amounts come as text and once more as a number, moments in two spellings.
What the simulator does not know (pictures, descriptions of rules) is left out rather than made up.

Source: recorded production answers (2026-07-24, 2026-10-05) and
https://docs.polymarket.com/api-reference (Gamma, 2026-09-28).
"""

import json
from datetime import UTC, datetime, timedelta

from services.simulator.chance import derive
from services.simulator.clearing import FEE_RATE_E6
from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.ranges import RANGES
from services.simulator.reads import FEE_CEILING_BPS
from services.simulator.volumes import Volume
from shared.units import PRICE_ONE_E4

Row = dict[str, object]

EVENT_NUMBER_OFFSET = 10_000_000
"""Events and markets are numbered apart, so that one is never found by the other's id."""

REWARDS_MIN_SIZE = 50
REWARDS_MAX_SPREAD_CENTS = 4.5
REBATES_SHARE_BPS = 10_000

BTC_15M_SERIES = 10_192
"""The one series whose production id is on record (2026-10-05); other ids are the simulator's."""

_NAMES = {
    "btc": "Bitcoin",
    "eth": "Ethereum",
    "sol": "Solana",
    "xrp": "XRP",
    "bnb": "BNB",
    "doge": "Dogecoin",
    "hype": "Hyperliquid",
}
_MS_PER_S = 1000

_FIXED_OF_MARKET: Row = {
    "active": True,
    "marketMakerAddress": "",
    "new": False,
    "featured": False,
    "archived": False,
    "restricted": True,
    "groupItemThreshold": "0",
    "enableOrderBook": True,
    "orderMinSize": MIN_SIZE_E6 // 10**6,
    "hasReviewedDates": True,
    "comboStatus": "disabled",
    "makerBaseFee": FEE_CEILING_BPS,
    "takerBaseFee": FEE_CEILING_BPS,
    "negRisk": False,
    "ready": False,
    "funded": False,
    "cyom": False,
    "approved": True,
    "rewardsMinSize": REWARDS_MIN_SIZE,
    "rewardsMaxSpread": REWARDS_MAX_SPREAD_CENTS,
    "automaticallyActive": True,
    "clearBookOnStart": False,
    "showGmpSeries": False,
    "showGmpOutcome": False,
    "manualActivation": False,
    "negRiskOther": False,
    "pendingDeployment": False,
    "deploying": False,
    "rfqEnabled": False,
    "holdingRewardsEnabled": False,
    "feesEnabled": True,
    "makerRebatesFeeShareBps": REBATES_SHARE_BPS,
    "feeType": "crypto_fees_v2",
    "feeSchedule": {
        "exponent": 1,
        "rate": FEE_RATE_E6 / 10**6,
        "takerOnly": True,
        "rebateRate": 0.2,
    },
}
"""What all crypto windows have in common."""


def iso(wall_ms: int) -> str:
    """Return a moment as `2026-10-05T23:00:00Z`."""
    return _moment(wall_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def _iso_micro(wall_ms: int) -> str:
    return _moment(wall_ms).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _spaced(wall_ms: int) -> str:
    """Return a moment as `closedTime` has it: `2026-07-24 00:00:16+00`."""
    return _moment(wall_ms).strftime("%Y-%m-%d %H:%M:%S+00")


def _moment(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / _MS_PER_S, UTC)


def _eastern(wall_ms: int) -> datetime:
    """Return New York's time, in which titles speak; summer time by the rule of 2007."""
    utc = _moment(wall_ms)
    starts = _nth_sunday(utc.year, 3, 2) + timedelta(hours=7)
    ends = _nth_sunday(utc.year, 11, 1) + timedelta(hours=6)
    return utc - timedelta(hours=4 if starts <= utc < ends else 5)


def _nth_sunday(year: int, month: int, count: int) -> datetime:
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (count - 1))


def _clock(moment: datetime) -> str:
    seconds = f":{moment:%S}" if moment.second else ""
    return f"{moment.hour % 12 or 12}:{moment:%M}{seconds}{moment:%p}"


def title_of(market: Market) -> str:
    """Return `Bitcoin Up or Down - October 5, 7:00PM-7:15PM ET`."""
    start, end = _eastern(market.start_ms), _eastern(market.end_ms)
    day = f"{start:%B} {start.day}"
    what = "Up or Down" if market.range_number is None else "price range"
    return f"{name_of(market)} {what} - {day}, {_clock(start)}-{_clock(end)} ET"


def name_of(market: Market) -> str:
    """Return the underlying's name."""
    return _NAMES.get(market.asset, market.asset.upper())


def duration_of(market: Market) -> str:
    """Return `15m`, as the slug has it."""
    return market.slug.split("-")[2]


def series_slug_of(market: Market) -> str:
    """Return `btc-up-or-down-15m`."""
    what = "up-or-down" if market.range_number is None else "price-range"
    return f"{market.asset}-{what}-{duration_of(market)}"


def series_id_of(market: Market) -> str:
    """Return the id of a market's series, the same in every simulator."""
    slug = series_slug_of(market)
    if slug == "btc-up-or-down-15m":
        return str(BTC_15M_SERIES)
    return str(20_000 + derive(0, "series", slug) % 10_000)


def event_id_of(market: Market) -> str:
    """Return the id of a market's event."""
    if market.range_number is not None:
        return str(derive(0, "event", market.event_slug) % 9_000_000 + 2 * EVENT_NUMBER_OFFSET)
    return str(int(market.number) + EVENT_NUMBER_OFFSET)


def neg_risk_id_of(market: Market) -> str:
    """Return under which id the adapter for negative risk knows a market's event."""
    return f"0x{derive(0, 'neg risk', market.event_slug):064x}"


def tag_rows(market: Market) -> tuple[Row, ...]:
    """Return the tags of a market; their ids are the simulator's own."""
    names = ("Crypto", "Up or Down", name_of(market), duration_of(market).upper())
    return tuple(
        {
            "id": str(100_000 + derive(0, "tag", name) % 10_000),
            "label": name,
            "slug": name.lower().replace(" ", "-"),
        }
        for name in names
    )


def json_text(items: tuple[str, ...]) -> str:
    """Return texts as the JSON text that discovery puts into JSON, with a space after a comma."""
    return json.dumps(items)


def outcome_prices(market: Market) -> tuple[str, str]:
    """Return the outcomes' prices: the middle of the book, or 1 and 0 once resolved."""
    if market.winner is not None:
        return ("1", "0") if market.winner == 0 else ("0", "1")
    bid, ask = market.book.bids.best(), market.book.asks.best()
    middle = PRICE_ONE_E4 if bid is None or ask is None else bid + ask
    up, down = middle / (2 * PRICE_ONE_E4), 1 - middle / (2 * PRICE_ONE_E4)
    return f"{up:.5f}".rstrip("0"), f"{down:.5f}".rstrip("0")


def _liquidity(market: Market) -> float:
    """Return the money that rests on both sides of the book, in USD."""
    book = market.book
    total = 0
    for price, level in book.bids.levels.items():
        total += price * level.total
    for price, level in book.asks.levels.items():
        total += (PRICE_ONE_E4 - price) * level.total
    return round(total / PRICE_ONE_E4 / 10**6, 4)


def volume_fields(volume: Volume) -> Row:
    """Return what was traded in USD, as text and as a number; all of it within a day."""
    money = volume.money / 10**6
    return {
        "volume": str(money),
        "volumeNum": money,
        "volumeClob": money,
        "volume24hr": money,
        "volume1wk": money,
        "volume1mo": money,
        "volume1yr": money,
    }


def _price_fields(market: Market) -> Row:
    bid, ask = market.book.bids.best(), market.book.asks.best()
    row: Row = {}
    if bid is not None:
        row["bestBid"] = bid / PRICE_ONE_E4
    if ask is not None:
        row["bestAsk"] = ask / PRICE_ONE_E4
    if bid is not None and ask is not None:
        row["spread"] = (ask - bid) / PRICE_ONE_E4
    if market.last_trade:
        row["lastTradePrice"] = float(market.last_trade)
    return row


def _protocol_fields(market: Market, *, has_ids: bool, is_bare: bool) -> Row:
    """Return what depends on the protocol; just after creation the ids are there and empty."""
    ids = market.tokens if has_ids else ()
    status = "resolved" if market.state == "RESOLVED" else None
    if market.version == "v1":
        row: Row = {"clobTokenIds": json_text(ids), "umaResolutionStatuses": "[]"}
        return row | ({"umaResolutionStatus": status} if status else {})
    return {
        "conditionId": market.condition_id[:-2] if is_bare else market.condition_id,
        "clobTokenIds": None,
        "positionIds": list(ids),
        "resolutionStatus": status or "active",
    }


def _config(market: Market) -> Row:
    lookback_s = market.lookback_ms // _MS_PER_S
    twap = f"-twap-{lookback_s}" if lookback_s else ""
    return {
        "id": f"{market.asset}-{duration_of(market)}{twap}",
        "asset": market.asset,
        "duration": duration_of(market),
        "twapEnabled": bool(lookback_s),
        "twapLookbackSeconds": lookback_s or None,
    }


def market_row(
    market: Market, resolution_ms: int, *, has_ids: bool = True, is_bare: bool = False
) -> Row:
    """Return one market as discovery tells of it, without its event and tags.

    Args:
        market: The market.
        resolution_ms: From its end to its resolution.
        has_ids: False just after its creation, when its tokens are not known yet.
        is_bare: Whether a condition of Protocol V2 is written without its last byte.
    """
    is_resolved = market.state == "RESOLVED"
    liquidity = _liquidity(market)
    config = _config(market)
    source = f"{market.asset}-usd" + ("-twap-60s-streams" if market.lookback_ms else "-streams")
    row: Row = _FIXED_OF_MARKET | {
        "id": market.number,
        "question": title_of(market),
        "conditionId": market.condition_id,
        "slug": market.slug,
        "resolutionSource": f"https://data.chain.link/streams/{source}",
        "endDate": iso(market.end_ms),
        "liquidity": str(liquidity),
        "startDate": _iso_micro(market.listed_ms),
        "outcomes": json_text(market.names),
        "outcomePrices": json_text(outcome_prices(market)),
        "closed": is_resolved,
        "createdAt": _iso_micro(market.listed_ms),
        "updatedAt": _iso_micro(market.changed_ms),
        "questionID": f"0x{derive(0, 'question', market.condition_id):064x}",
        "orderPriceMinTickSize": market.tick / PRICE_ONE_E4,
        "liquidityNum": liquidity,
        "endDateIso": iso(market.end_ms)[:10],
        "startDateIso": iso(market.listed_ms)[:10],
        "liquidityClob": liquidity,
        "acceptingOrders": market.is_trading,
        "acceptingOrdersTimestamp": iso(market.listed_ms),
        "eventStartTime": iso(market.start_ms),
        "cryptoMarketConfigId": config["id"],
        "cryptoMarketConfig": config,
        "version": market.version,
        "negRisk": market.neg_risk,
    }
    row |= _price_fields(market)
    if market.range_number is not None:
        title = RANGES[market.range_number].title
        row |= {"groupItemTitle": title, "groupItemThreshold": str(market.range_number)}
        row |= {"negRiskMarketID": neg_risk_id_of(market)}
    row |= _protocol_fields(market, has_ids=has_ids, is_bare=is_bare)
    if is_resolved:
        resolved_ms = market.end_ms + resolution_ms
        row |= {
            "closedTime": _spaced(resolved_ms),
            "umaEndDate": iso(resolved_ms),
            "automaticallyResolved": True,
        }
    return row


def series_row(market: Market) -> Row:
    """Return the series of a market."""
    return {
        "id": series_id_of(market),
        "ticker": series_slug_of(market),
        "slug": series_slug_of(market),
        "title": f"{name_of(market)} Up or Down {duration_of(market)}",
        "seriesType": "single",
        "recurrence": duration_of(market),
        "active": True,
        "closed": False,
        "archived": False,
        "featured": False,
        "restricted": True,
        "commentsEnabled": False,
        "competitive": "0",
    }


def event_row(market: Market, market_rows: tuple[Row, ...]) -> Row:
    """Return the event of a market; each window is an event of its own."""
    liquidity = _liquidity(market)
    group: Row = {"negRiskMarketID": neg_risk_id_of(market)} if market.neg_risk else {}
    return group | {
        "id": event_id_of(market),
        "ticker": market.event_slug,
        "slug": market.event_slug,
        "title": title_of(market),
        "resolutionSource": market_rows[0]["resolutionSource"],
        "startDate": _iso_micro(market.listed_ms),
        "creationDate": _iso_micro(market.listed_ms),
        "endDate": iso(market.end_ms),
        "startTime": iso(market.start_ms),
        "active": True,
        "closed": market.state == "RESOLVED",
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "liquidity": liquidity,
        "liquidityClob": liquidity,
        "createdAt": _iso_micro(market.listed_ms),
        "updatedAt": _iso_micro(market.changed_ms),
        "enableOrderBook": True,
        "negRisk": market.neg_risk,
        "enableNegRisk": market.neg_risk,
        "negRiskAugmented": False,
        "cyom": False,
        "showAllOutcomes": True,
        "showMarketImages": True,
        "automaticallyActive": True,
        "pendingDeployment": False,
        "deploying": False,
        "version": market.version,
        "seriesSlug": series_slug_of(market),
        "series": [series_row(market)],
        "tags": list(tag_rows(market)),
        "markets": list(market_rows),
    }

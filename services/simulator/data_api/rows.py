"""Rows of the data service: positions, trades, activity, resolutions, tokens.

Source: recorded production rows (September 2026), whose names and types these are, and
polymarket-client 0.14.0. What the simulator has not (people's names, pictures) is empty text, as
the service writes what it does not know.
"""

from services.simulator.chance import derive
from services.simulator.data_api.ledger import Holding, Part, Payout, price_e4
from services.simulator.discovery.rows import Row, event_id_of, iso, title_of
from services.simulator.markets import Market
from shared.units import PRICE_ONE_E4

_E6 = 10**6
_MS_PER_S = 1000
RESOLVED_PAYOUT = 1_000_000


def amount(value_e6: int) -> float:
    """Return an amount of 1e-6 as the double that the service writes."""
    return value_e6 / _E6


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 0.0


def status_of(holding: Holding) -> str:
    """Return `OPEN`, `REDEEMABLE` while a resolved one is still held, or `CLOSED`."""
    if holding.size <= 0:
        return "CLOSED"
    return "OPEN" if holding.market.winner is None else "REDEEMABLE"


def _market_fields(market: Market) -> Row:
    return {"title": title_of(market), "slug": market.slug, "event_slug": market.event_slug}


def position_row(holding: Holding, *, has_complement: bool) -> Row:
    """Return one position; costs are without fees, those are told apart."""
    market, outcome = holding.market, holding.outcome
    cost, size = (holding.cost, holding.size) if holding.size else (holding.sunk, holding.bought)
    unrealized = holding.value - holding.cost
    total = holding.realized + unrealized
    return {
        "proxy_wallet": holding.wallet,
        "token_id": holding.token,
        "condition_id": market.condition_id,
        "current_size": amount(holding.size),
        "avg_price": round(cost / size, 6) if size else 0.0,
        "entry_cost_usdc": amount(holding.cost),
        "entry_fees_usdc": amount(holding.fees),
        "total_cost_usdc": amount(holding.cost),
        "current_price": holding.price_e4 / PRICE_ONE_E4,
        "current_value": amount(holding.value),
        "total_size": amount(holding.bought),
        "realized_pnl": amount(holding.realized),
        "unrealized_pnl": amount(unrealized),
        "total_pnl": amount(total),
        "percent_pnl": _percent(total, holding.sunk),
        "percent_realized_pnl": _percent(holding.realized, holding.sunk),
        "status": status_of(holding),
        "redeemable": status_of(holding) == "REDEEMABLE",
        "mergeable": has_complement and market.winner is None,
        "negative_risk": market.neg_risk,
        "archived": False,
        **_market_fields(market),
        "event_id": event_id_of(market),
        "outcome": market.names[outcome],
        "outcome_index": outcome,
        "opposite_outcome": market.names[1 - outcome],
        "opposite_token_id": market.tokens[1 - outcome],
        "end_date": iso(market.end_ms)[:10],
        "last_event_at": holding.last_s,
        "first_entry_at": holding.first_s,
        "name": "",
        "verified": False,
    }


_NOBODY: Row = {"name": "", "pseudonym": "", "bio": "", "profile_image_optimized": ""}


def trade_row(part: Part) -> Row:
    """Return one party's part of a trade, as the trades feed does."""
    return {
        "proxy_wallet": part.wallet,
        "side": part.side,
        "token_id": part.token,
        "condition_id": part.market.condition_id,
        "size": amount(part.size),
        "price": part.price / PRICE_ONE_E4,
        "timestamp": part.trade.match_ms // _MS_PER_S,
        **_market_fields(part.market),
        "outcome": part.market.names[part.outcome],
        "outcome_index": part.outcome,
        **_NOBODY,
        "transaction_hash": part.trade.transaction_hash,
    }


def trade_activity_row(part: Part) -> Row:
    """Return one party's part of a trade, as the activity feed does."""
    return {
        "proxy_wallet": part.wallet,
        "timestamp": part.trade.match_ms // _MS_PER_S,
        "condition_id": part.market.condition_id,
        "type": "TRADE",
        "size": amount(part.size),
        "usdc_size": amount(part.money),
        "transaction_hash": part.trade.transaction_hash,
        "price": part.money / part.size if part.size else 0.0,
        "token_id": part.token,
        "side": part.side,
        "outcome_index": part.outcome,
        **_market_fields(part.market),
        "outcome": part.market.names[part.outcome],
        **_NOBODY,
    }


def redeem_row(payout: Payout) -> Row:
    """Return what a resolution has paid for one outcome, as the activity feed does."""
    holding = payout.holding
    market = holding.market
    digits = derive(0, "redeem", market.condition_id, holding.wallet)
    return {
        "proxy_wallet": holding.wallet,
        "timestamp": payout.at_s,
        "condition_id": market.condition_id,
        "type": "REDEEM",
        "size": amount(payout.size),
        "usdc_size": amount(payout.money),
        "transaction_hash": f"0x{digits:064x}",
        "price": 0,
        "token_id": "",
        "side": "",
        "outcome_index": holding.outcome,
        **_market_fields(market),
        "outcome": market.names[holding.outcome],
        **_NOBODY,
    }


def resolution_row(market: Market, resolution_ms: int) -> Row:
    """Return where a market's resolution stands; payouts are micro-USDC a share."""
    row: Row = {
        "question_id": f"0x{derive(0, 'question', market.condition_id):064x}",
        "condition_id": market.condition_id,
        "extended_review": False,
        "was_disputed": False,
        "new_version_q": False,
        "market_type": "BINARY",
    }
    if market.winner is None:
        updated_s = market.listed_ms // _MS_PER_S
        status = "initialized" if market.version == "v1" else "active"
        return row | {"status": status, "last_update_timestamp": updated_s, "payouts": None}
    resolved_s = (market.end_ms + resolution_ms) // _MS_PER_S
    payouts = [RESOLVED_PAYOUT if market.winner == index else 0 for index in range(2)]
    return row | {
        "status": "resolved",
        "last_update_timestamp": resolved_s,
        "resolved_at": resolved_at(resolved_s),
        "payouts": payouts,
        "resolution_source": "reported",
        "reporter": "CHAINLINK",
        "transaction_hash": f"0x{derive(0, 'resolution', market.condition_id):064x}",
    }


def resolved_at(at_s: int) -> str:
    """Return the moment of a resolution as ISO text."""
    return iso(at_s * _MS_PER_S)


def token_row(market: Market, outcome: int) -> Row:
    """Return what is known of a token."""
    is_resolved = market.winner is not None
    return {
        "token_id": market.tokens[outcome],
        "condition_id": market.condition_id,
        "structural_condition_id": market.condition_id if market.version == "v2" else None,
        "module": "binary" if market.version == "v2" else "v1_ctf",
        "outcome_index": outcome,
        "clob_index": outcome,
        "outcome": market.names[outcome],
        "opposite_token_id": market.tokens[1 - outcome],
        "resolved": is_resolved,
        "final_price": price_e4(market, outcome) / PRICE_ONE_E4 if is_resolved else None,
        "title": title_of(market),
        "market_slug": market.slug,
        "closed": is_resolved,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": None,
        "question_index": None,
        "event_id": int(event_id_of(market)),
        "event_slug": market.event_slug,
    }

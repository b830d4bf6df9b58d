"""Where positions are to be closed and nothing else is done: one reading of risk's present order.

Strategies, the caretaker and execution all ask here, so that none of them closes what another
still quotes. A state above REDUCING in the same place (HALTED) closes nothing.
"""

from collections.abc import Iterable

from shared.control import ScopeOrder
from shared.facts import MarketInfo
from shared.identifiers import StrategyName
from shared.trading_state import TradingState, worst


def reduces(
    account: TradingState,
    scopes: Iterable[ScopeOrder],
    strategy: StrategyName,
    info: MarketInfo,
) -> bool:
    """Tell whether a strategy's position in a market is to be closed.

    Args:
        account: State that risk orders for the whole account.
        scopes: Every scope that is not ACTIVE.
        strategy: Owner of the position.
        info: The market.
    """
    ids = {
        "asset": (info.asset,),
        "market": (info.condition_id,),
        "token": info.tokens,
        "strategy": (strategy,),
        "account": ("",),
    }
    states = [scope.state for scope in scopes if scope.scope_id in ids[scope.kind]]
    return worst([account, *states]) == "REDUCING"

"""Whether the group trades now, and every reason why not, from what it says of itself."""

from ops.observe import View
from shared import trading_verdict


def reasons_not_trading(view: View) -> tuple[str, ...]:
    """Return why no order of ours can be said to rest; empty when one does."""
    return trading_verdict.reasons_not_trading(view.risk(), view.execution(), view.strategies())


def is_active(view: View) -> bool:
    """Tell whether risk grants and execution lets orders pass."""
    return trading_verdict.is_active(view.risk(), view.execution())

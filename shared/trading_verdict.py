"""Whether the group trades now, in one word and with every reason why not.

Pure. The command and the page say it with the same words, from what risk, execution and
the strategies said last; how old that may be is judged by whoever asks.
"""

from collections.abc import Mapping

from shared.facts import ExecutionStatus, RiskStatus, StrategyStatus

REASONS_MAX = 12
"""What a person reads; the rest is in status."""

ACTIVE = "ACTIVE"
DOWN = "DOWN"
DRY_RUN = "DRY RUN: orders are decided and recorded, none is ever sent"


def is_active(risk: RiskStatus | None, execution: ExecutionStatus | None) -> bool:
    """Tell whether risk grants and execution lets orders pass."""
    return (
        risk is not None
        and execution is not None
        and risk.trading_state == ACTIVE
        and execution.trading_state == ACTIVE
    )


def headline(risk: RiskStatus | None, execution: ExecutionStatus | None) -> str:
    """Return the state in a word or two; execution's own only where risk would let it trade."""
    if risk is None:
        return f"{DOWN}: risk is not heard"
    if risk.trading_state != ACTIVE:
        return risk.trading_state
    if execution is None:
        return "UNKNOWN: execution is not heard"
    if execution.trading_state != ACTIVE:
        return f"{execution.trading_state} (execution)"
    return ACTIVE


def reasons_not_trading(
    risk: RiskStatus | None,
    execution: ExecutionStatus | None,
    strategies: Mapping[str, StrategyStatus],
) -> tuple[str, ...]:
    """Return why no order of ours can be said to rest; empty when one does.

    In a dry run none ever does: there it is empty when orders would be placed.
    """
    if risk is None:
        return ("risk is not heard",)
    reasons = [] if execution is not None else ["execution is not heard"]
    if risk.trading_state != ACTIVE:
        reasons += [f"risk: {reason}" for reason in risk.reasons] or [
            f"risk is {risk.trading_state}"
        ]
    if execution is None:
        return tuple(reasons[:REASONS_MAX])
    if execution.trading_state != ACTIVE:
        reasons.append(f"execution: {execution.cause or execution.trading_state}")
    if not reasons and execution.open_orders == 0 and not execution.dry_run:
        refusals = [f"{row.reason} x{row.count}" for row in execution.refusals]
        told = [
            f"{name}: {status.reason or status.state}"
            for name, status in strategies.items()
            if status.reason
        ]
        reasons = ["no order rests", *told]
        if refusals:
            reasons.append("denied so far: " + ", ".join(refusals))
    return tuple(reasons[:REASONS_MAX])

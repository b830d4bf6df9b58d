"""Whether the group trades now, and every reason why not, from what it says of itself."""

from ops.observe import View

REASONS_MAX = 12
"""What a person reads; the rest is in status."""


def reasons_not_trading(view: View) -> tuple[str, ...]:
    """Return why no order of ours can be said to rest; empty when one does.

    In a dry run none ever does: there it is empty when orders would be placed.
    """
    risk = view.risk()
    execution = view.execution()
    if risk is None:
        return ("risk is not heard",)
    if execution is None:
        return ("execution is not heard",)
    reasons: list[str] = []
    if risk.trading_state != "ACTIVE":
        reasons += [f"risk: {reason}" for reason in risk.reasons] or [
            f"risk is {risk.trading_state}"
        ]
    if execution.trading_state != "ACTIVE":
        reasons.append(f"execution: {execution.cause or execution.trading_state}")
    if not reasons and execution.open_orders == 0 and not execution.dry_run:
        refusals = [f"{row.reason} x{row.count}" for row in execution.refusals]
        strategies = [
            f"{name}: {status.reason or status.state}"
            for name, status in view.strategies().items()
            if status.reason
        ]
        reasons = ["no order rests", *strategies]
        if refusals:
            reasons.append("denied so far: " + ", ".join(refusals))
    return tuple(reasons[:REASONS_MAX])


def is_active(view: View) -> bool:
    """Tell whether risk grants and execution lets orders pass."""
    risk = view.risk()
    execution = view.execution()
    return (
        risk is not None
        and execution is not None
        and risk.trading_state == "ACTIVE"
        and execution.trading_state == "ACTIVE"
    )

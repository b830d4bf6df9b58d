"""Settings of the capital ramp (ST-8): how much of the account's money may be at work."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.section import Section

Step = Literal[50, 100, 500]
"""Capital in USD. Source: requirement ST-8."""

STEPS_USD: tuple[Step, ...] = (50, 100, 500)


class RampSettings(Section, frozen=True, kw_only=True):
    """What a step of the capital takes; the step itself is the operator's, kept by risk."""

    start_usd: Annotated[
        Step,
        Meta(
            description="Capital before an operator has set a step. Not in mode live: there it is "
            "0, and nothing trades, until the first step is taken."
        ),
    ] = 50
    clean_run_s: Annotated[
        int,
        Meta(
            description="Time ACTIVE without a latch that nobody asked for and without a process "
            "killed, before the next step may be taken: a whole day has every hour of the market.",
            ge=60,
            le=30 * 86_400,
        ),
    ] = 86_400

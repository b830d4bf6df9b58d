"""What a process asks its sources for, and what it makes of the answers.

As `bus/resynchronising.py` does. Snapshots are asked for at a tick; single facts at once, since
an answer counts for a short time only.
"""

from bus.intake import Intake
from bus.snapshot import encode_fill_request, encode_request
from ops.simulation.bus import Bus
from shared.effects import Message
from shared.identifiers import Component
from shared.units import Instant


def ask_for_facts(bus: Bus, component: Component, intake: Intake) -> None:
    """Ask for what small gaps lack."""
    intake.wants_facts = False
    for source_name, source in intake.sources.items():
        request = source.fill.take_request()
        if request is None:
            continue
        if bus.request_snapshot(component, source_name, encode_fill_request(request)):
            source.fill.sent()
        else:
            intake.wants_facts = True


def ask_for_snapshots(bus: Bus, component: Component, intake: Intake, now: Instant) -> None:
    """Ask whoever has started or was lost."""
    for source_name, source in intake.sources.items():
        number = source.resync.take_request(now.monotonic_ns)
        if number is not None and bus.request_snapshot(
            component, source_name, encode_request(number)
        ):
            source.resync.sent()


def take_answers(bus: Bus, component: Component, intake: Intake, now: Instant) -> list[Message]:
    """Return what the answers that have arrived tell the core."""
    messages: list[Message] = []
    for frames in bus.receive_answers(component):
        filled = intake.fill(frames, now)
        messages += intake.answer(frames, now) if filled is None else filled
    return messages

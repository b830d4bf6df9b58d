"""The switch table as a page: `interlock switches --page > docs/switches.md`, or its make target.

Everything on it comes from the table and from the settings that it names; a test keeps the
page equal to what is rendered.
"""

from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from shared.config import Config, Section
from shared.switches import SWITCHES, Switch

INTRODUCTION = """\
# Switches

Written from the switch table; a test keeps the two equal. Gate, risk, command, page, runbooks and
tests are driven by the same table. A **latch** is written down, survives every restart and ends
by an operator alone; a **pause** ends by itself. When several hold, HALTED stands above REDUCING,
that above PAUSED, that above ACTIVE. What is tripped now: `interlock switches`. What a page
of the runbook says stands in `ops/runbooks`."""

HEAD = """\
| id | switch | scope | state | kind | samples | ends by |
|---|---|---|---|---|---|---|"""


def render() -> str:
    """Return the page, Markdown."""
    lines = [INTRODUCTION, "", HEAD]
    lines += [_row(switch) for switch in SWITCHES]
    for switch in SWITCHES:
        lines += ["", *_section(switch)]
    return "\n".join(lines) + "\n"


def confirmation_words(switch: Switch) -> str:
    """Return how many samples trip a switch, in words."""
    needed, of = switch.confirmation.needed, switch.confirmation.of
    return "at once" if of == 1 else f"{needed} of {of}"


def _row(switch: Switch) -> str:
    cells = (
        switch.requirement,
        f"[`{switch.name}`](#{switch.name})",
        switch.scope,
        switch.state + (", closes positions" if switch.flatten else ""),
        switch.kind,
        confirmation_words(switch),
        switch.resumes,
    )
    return f"| {' | '.join(cells)} |"


def _section(switch: Switch) -> list[str]:
    lines = [f"## {switch.name}", "", f"* Trips when {switch.trigger}."]
    for name in switch.setting:
        default, meaning = _setting(name)
        lines.append(f"* Setting `{name}` = {default}: {meaning}")
    if not switch.implemented:
        lines.append("* Not whole yet: live trading is refused because of it.")
    lines.append(f"* Runbook: [`{switch.runbook}`](../ops/runbooks/{switch.runbook}.md)")
    return lines


def _setting(name: str) -> tuple[str, str]:
    """Return the default of a setting and what it means, from the schema."""
    table, _, key = name.partition(".")
    section = get_type_hints(Config)[table]
    assert issubclass(section, Section), f"{name} is no setting"
    fields = {field.name: field for field in msgspec.structs.fields(section)}
    hint = get_type_hints(section, include_extras=True)[key]
    return _value(fields[key].default), _meaning(hint)


def _value(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:_}" if isinstance(default, int) else f"{default!r}"


def _meaning(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            if isinstance(meta, Meta) and meta.description:
                return meta.description
    return "see the schema."

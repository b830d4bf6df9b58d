"""The manual of all commands, from their help: `python -m ops.cli.manual > docs/commands.md`."""

import click

from ops.cli.__main__ import COMMANDS, main

WIDTH = 96

INTRODUCTION = "Written from the commands' own help; a test keeps the two equal."


def render() -> str:
    """Return the page, Markdown."""
    lines = ["# Commands", "", INTRODUCTION, "", *_block("interlock", main)]
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None, "every name has a command"
        lines += ["", f"## {name}", "", *_block(f"interlock {name}", command)]
        if isinstance(command, click.Group):
            for part, inner in command.commands.items():
                lines += ["", *_block(f"interlock {name} {part}", inner)]
    return "\n".join(lines) + "\n"


def _block(path: str, command: click.Command) -> list[str]:
    # A command keeps the help option of its first context, so all contexts name it alike.
    names = main.context_settings["help_option_names"]
    context = click.Context(
        command,
        info_name=path,
        max_content_width=WIDTH,
        terminal_width=WIDTH,
        help_option_names=names,
    )
    with context:
        text = command.get_help(context)
    return ["```", *(line.rstrip() for line in text.splitlines()), "```"]


if __name__ == "__main__":
    print(render(), end="")

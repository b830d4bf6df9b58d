"""Entry of `interlock`: finds the file of a subcommand when it is asked for, and no other."""

import importlib

import click

COMMANDS = (
    "up",
    "down",
    "restart",
    "status",
    "halt",
    "resume",
    "flatten",
    "switches",
    "explain",
    "tap",
    "orders",
    "positions",
    "fills",
    "pnl",
    "audit",
    "quarantine",
    "panic",
    "drill",
    "strategy",
    "ramp",
    "approve",
    "doctor",
    "record",
    "backup",
    "replay",
    "probe",
    "sim",
    "faults",
    "bench",
)
"""In the order in which a day needs them; each is a module of this package."""


class Commands(click.Group):
    """Subcommands by file; a file is imported when its command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in their own order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a file, None when there is no such file."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"ops.cli.{cmd_name}").command
        assert isinstance(command, click.Command), "each file has one command"
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="interlock")
def main() -> None:
    """Trade on Polymarket only while everything is proven healthy.

    Exit status: 0 only when what was asked holds; 1 it does not; 2 the configuration or the
    command line is wrong; 3 not trading, or refused; 4 nothing runs.
    """


if __name__ == "__main__":
    main()

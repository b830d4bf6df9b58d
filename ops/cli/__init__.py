"""The command `interlock`: one file a subcommand, whose docstring is its help text."""

"""What every test may rely on; the plugin that turns marks into the safety case."""

pytest_plugins = ["tests.safety_case"]

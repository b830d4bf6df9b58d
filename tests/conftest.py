"""What every test may rely on; plugins: marks into the safety case, mutants instead of tests."""

from tests.mutation.imported import put_in_place

pytest_plugins = ["tests.safety_case", "tests.mutation.session", "tests.removals.session"]

put_in_place()

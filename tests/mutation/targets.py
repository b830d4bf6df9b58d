"""Which modules are judged by their mutants, by which tests, and what is known of survivors."""

from collections.abc import Mapping

import msgspec

from tests.mutation.explained import EXPLAINED


class Target(msgspec.Struct, frozen=True):
    """One module under judgement.

    Attributes:
        tests: Its own: they are asked first, and alone where a mutant needs a start of pytest.
        explained: Why a survivor is none that a test could or should notice, by its name.
    """

    tests: tuple[str, ...]
    explained: Mapping[str, str] = {}


_EXECUTION = "tests/unit/execution"
_LEDGER = ("tests/wire/test_execution_ledger.py", "tests/wire/test_execution_migration.py")
_TESTS: dict[str, tuple[str, ...]] = {
    "services/execution/gate.py": (f"{_EXECUTION}/test_gate.py",),
    "services/execution/order_checks.py": (f"{_EXECUTION}/test_order_checks.py",),
    "services/execution/lifecycle.py": (
        f"{_EXECUTION}/test_lifecycle.py",
        f"{_EXECUTION}/test_order_table.py",
    ),
    "shared/orders.py": (
        f"{_EXECUTION}/test_order_table.py",
        f"{_EXECUTION}/test_lifecycle.py",
    ),
    "shared/trade_settlement.py": (
        "tests/unit/shared/test_trade_settlement.py",
        f"{_EXECUTION}/test_positions.py",
    ),
    "services/execution/ledger/ledger.py": _LEDGER,
    "services/execution/reconciliation/reconcile.py": (
        f"{_EXECUTION}/test_reconcile.py",
        f"{_EXECUTION}/test_reconcile_absence.py",
    ),
}

TARGETS: dict[str, Target] = {
    path: Target(tests, EXPLAINED.get(path, {})) for path, tests in _TESTS.items()
}

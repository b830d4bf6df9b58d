"""The import contracts of setup.cfg, run with the tests so that no run goes without them."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT


def test_import_contracts_are_kept() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

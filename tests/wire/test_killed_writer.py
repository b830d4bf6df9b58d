"""A writer killed in the middle of its commits: what was said to be held is there, whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bus import clock
from bus.settings import SOURCE_ROOT
from services.execution.ledger.ledger import Ledger
from shared.ledger_schema import LEDGER_FILE

CHILD = """
import select, sys
from pathlib import Path
from bus import clock
from bus.writer import Writer
from services.execution.ledger.ledger import Ledger
from shared.ledger_schema import EpochRecord, Journal
from tests.builders.ledger_rows import build_order_record

writer = Writer(Ledger(Path(sys.argv[1]), clock.read()))
descriptors = [descriptor for descriptor, _ in writer.sockets()]
for epoch in range(1, 1_000_000):
    rows = tuple(build_order_record(order_id=f"0x{epoch:060x}{n:04x}") for n in range(5))
    writer.apply(Journal((*rows, EpochRecord(epoch))), clock.read())
    writer.commit(clock.read())
    while not writer.is_committed(clock.read()):
        select.select(descriptors, [], [], 10.0)
        writer.on_ready(descriptors[0], 1, clock.read())
    print(epoch, flush=True)
"""

# A dependency installs a package that is called `tests` too: ours is named before it is imported.
OURS = """
import sys, types
tests = types.ModuleType("tests")
tests.__path__ = [sys.argv[2]]
sys.modules["tests"] = tests
"""


@pytest.mark.req("OP-12", "INV-2")
@pytest.mark.parametrize("acknowledged_min", [1, 8, 33])
def test_killed_in_a_commit_it_leaves_all_of_it_or_nothing(
    tmp_path: Path, acknowledged_min: int
) -> None:
    path = tmp_path / LEDGER_FILE
    command = [sys.executable, "-c", OURS + CHILD, str(path), str(SOURCE_ROOT / "tests")]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(acknowledged_min)]
    child.kill()
    told += [int(line) for line in child.communicate()[0].split()]
    ledger = Ledger(path, clock.read())
    assert ledger.opened.epoch in (told[-1], told[-1] + 1)
    assert len(ledger.opened.orders) == 5 * ledger.opened.epoch
    ledger.close()

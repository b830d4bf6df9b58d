"""Benchmarks: the way a decision travels, each beside a floor measured in the same run.

`run(names)` measures; a `Result` is a distribution, the floor's, and their ratio. Absolute
times are those of the machine and of what else runs on it; the ratio travels better. Nothing
here decides about safety: deadlines are asserted by the tests over real processes.
"""

from ops.bench.results import Result
from ops.bench.runner import NAMES, SETS, run

__all__ = ["NAMES", "SETS", "Result", "run"]

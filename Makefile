# One target a verb. `make run` and `make test` need Python 3.11 or newer and nothing else.
.PHONY: run check test test-pure test-long-groups test-short-groups fmt lint types imports unit sim seeds processes endurance torture mutants model soak fuzz fold day ledger-million crash-points bench safety-case faults-page switches-page replay-hour lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

run: $(VENV)/installed
	$(BIN)/interlock up --profile ops/sim.toml --wait

check: lint types imports unit

# Three runs at once, each printed when it ends: two of whole groups, which mostly wait, and beside them all
# else, which gives way. Together they use both cores of the smallest machine; a fourth makes groups late.
test: $(VENV)/installed-test
	$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target $(PARTS)

test-pure:
	nice -n 10 $(BIN)/pytest $(PART) --safety-case $(CASE)-pure.json -m "not processes"

test-long-groups:
	$(BIN)/pytest $(PART) --safety-case $(CASE)-long-groups.json $(GROUPS) -k "$(LONG)"

test-short-groups:
	$(BIN)/pytest $(PART) --safety-case $(CASE)-short-groups.json $(GROUPS) -k "not ($(LONG))"

fmt: $(VENV)/installed-test
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(VENV)/installed-test
	$(BIN)/mypy

imports: $(VENV)/installed-test
	$(BIN)/lint-imports

unit: $(VENV)/installed-test
	$(BIN)/pytest --quiet -m "not processes and not slow"

sim: $(VENV)/installed-test
	$(BIN)/pytest --quiet tests/simulation

# The whole system under chance, seed after seed; five seconds of a core each.
seeds: $(VENV)/installed-test
	INTERLOCK_SEEDS=$${INTERLOCK_SEEDS:-100} $(BIN)/pytest --quiet tests/simulation -m seeds

processes: $(VENV)/installed-test
	$(BIN)/pytest --quiet tests/processes

# Hours and minutes of what `test` does for seconds: before a release, on a machine with nothing else to do.
endurance: $(VENV)/installed-test
	INTERLOCK_STOPS=100 INTERLOCK_BLACKHOLES=25 $(BIN)/pytest --quiet tests/processes/test_stop_resume.py tests/processes/test_blackhole.py
	INTERLOCK_PROBE_WHOLE=1 $(BIN)/pytest --quiet tests/processes/test_probe.py
	INTERLOCK_NEAR_S=600 $(BIN)/pytest --quiet tests/simulation/test_near_crossing.py

# Ten thousand orders under every fault at once, fifty kills of execution: some ten minutes.
torture: $(VENV)/installed-test
	INTERLOCK_TORTURE_ORDERS=10000 INTERLOCK_TORTURE_KILLS=50 $(BIN)/pytest --quiet -rP tests/processes/test_torture.py

# Some fifteen minutes on two cores; fails for a survivor that nobody has explained.
mutants: $(VENV)/installed-test
	nice -n 10 $(BIN)/pytest --quiet -p no:cacheprovider --mutants docs/mutation.md $(ASKED)

# Searches every state of the model of the fence protocol, and writes docs/protocol-model.md; some ten minutes.
model: $(VENV)/installed-test
	$(BIN)/python -m ops.model
	INTERLOCK_MODEL_WALKS=200 $(BIN)/pytest --quiet tests/properties/test_model_conformance.py

soak: $(VENV)/installed-test
	INTERLOCK_SOAK_S=600 $(BIN)/pytest --quiet -rP tests/processes/test_soak.py

# An hour of minute markets with kills of the state builder, all of it decided again, twice; an hour and a half.
replay-hour: $(VENV)/installed-test
	INTERLOCK_REPLAY_S=$${INTERLOCK_REPLAY_S:-3600} $(BIN)/pytest --quiet -rP tests/processes/test_feeds_state.py

# Trades the whole recorded day in one process; about an hour on one core.
day: $(VENV)/installed-test
	INTERLOCK_DAY=1 $(BIN)/pytest --quiet tests/simulation/test_recorded.py

# A million actions on execution and the venue, in any order; about a quarter of an hour on two cores.
machine: $(VENV)/installed-test
	INTERLOCK_MACHINE_STEPS=$${INTERLOCK_MACHINE_STEPS:-1000000} $(BIN)/pytest --quiet -rP tests/properties/test_execution_machine.py -k million

# A million inputs for the feeds' cores and their readers, guided by coverage; about twenty minutes on one core.
fuzz: $(VENV)/installed-test
	INTERLOCK_FUZZ_INPUTS=$${INTERLOCK_FUZZ_INPUTS:-1000000} $(BIN)/pytest --quiet -rP tests/fuzz

fold: $(VENV)/installed-test
	INTERLOCK_FOLD_S=600 $(BIN)/pytest --quiet -rP tests/processes/test_fold.py

# A start after a million orders, and the whole proof of them: ten minutes and 5 GB under the temporary directory.
ledger-million: $(VENV)/installed-test
	INTERLOCK_LEDGER_ORDERS=1000000 $(BIN)/pytest --quiet -rP tests/wire/test_execution_long_ledger.py

# Cuts the ledger at every write and sync, with many subsets of what a power cut may undo; half an hour.
crash-points: $(VENV)/installed-test
	INTERLOCK_CRASH_ORDERS=24 INTERLOCK_CRASH_SUBSETS=24 $(BIN)/pytest --quiet -rP tests/wire/test_execution_crash_points.py

bench: $(VENV)/installed
	$(BIN)/interlock bench

# The page of what `test` has just shown, failures included.
safety-case:
	-$(MAKE) --no-print-directory test
	$(BIN)/python tests/safety_case.py docs/safety-case.md $(CASE)-pure.json $(CASE)-long-groups.json $(CASE)-short-groups.json

faults-page: $(VENV)/installed
	$(BIN)/python -m services.simulator.catalogue.page > docs/venue-faults.md

switches-page: $(VENV)/installed
	$(BIN)/interlock switches --page > docs/switches.md
	$(BIN)/python -m ops.runbook_index > ops/runbooks/README.md

lock:
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet pip-tools
	build/lock/bin/$(PIP_COMPILE) --extra=test --output-file=requirements-test.lock setup.cfg
	build/lock/bin/$(PIP_COMPILE) --constraint=requirements-test.lock --output-file=requirements.lock setup.cfg

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

PARTS = test-long-groups test-short-groups test-pure
CASE = build/safety-case
PART = --quiet -p no:cacheprovider
GROUPS = -m processes tests/processes tests/bench
LONG = test_trading or test_stop_resume or test_soak or test_blackhole or test_simulator_restart or test_recorded_prices or test_torture or test_reconciliation or (test_feeds and not books) or bench

# The tests that are fast enough to be asked about each mutant.
E := tests/unit/execution
ASKED = $(E)/test_gate.py $(E)/test_order_checks.py $(E)/test_lifecycle.py $(E)/test_order_table.py \
	$(E)/test_reconcile.py $(E)/test_reconcile_absence.py $(E)/test_core.py $(E)/test_core_switches.py \
	$(E)/test_positions.py tests/unit/shared/test_ledger_*.py tests/unit/shared/test_trade_settlement.py \
	tests/unit/venue/test_outcomes.py tests/wire/test_execution_ledger.py tests/wire/test_execution_migration.py

# Names no registry: where packages come from is the machine's own setting.
PIP_COMPILE = pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	--build-deps-for editable --no-emit-find-links --no-emit-index-url --no-emit-trusted-host

# The stamps are newer than the locks exactly when what the locks name is installed.
$(VENV)/installed: requirements.lock setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/installed-test: requirements-test.lock $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

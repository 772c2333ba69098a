# Everything here needs Python 3.11 or newer with venv, and nothing else: each target makes its own environment.

PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# Where the real posts for `make bench` lie; the benchmark says what it skips when they are absent.
DATA   ?= ../shared/data
CASES  ?= 20000
SEEDS  ?= 20
STOPS  ?= 20
DAYS   ?= 90
# Tests that run at a time: many of them wait for a process or a server of their own.
JOBS   ?= 3
LOCK    = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

.PHONY: help demo test check coverage bench fuzz promises week soak pictures container-test lock clean

help:
	@sed -n 's/^##//p' $(MAKEFILE_LIST)

## make demo   the day on which Assad fell, on invented channels: alerts as they would have come, then the digest
demo: $(VENV)/.run
	@$(BIN)/python -m bot demo --colour always

## make test   the tests
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

## make check  format, lint, types, tests: what has to pass before a commit lands
check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

## make coverage  the tests once more, and which lines they do not reach
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term:skip-covered

## make bench  quality and speed on real posts, as ratios (DATA=folder)
bench: $(VENV)/.dev
	$(BIN)/python -m bench $(DATA)

## make fuzz   the property tests with many cases (CASES=20000)
fuzz: $(VENV)/.dev
	VEDETTE_CASES=$(CASES) $(BIN)/python -m pytest -m fuzz --timeout 3600

## make promises  the seeded end-to-end proofs with as many seeds as asked for (SEEDS=20)
promises: $(VENV)/.dev
	VEDETTE_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/promises --timeout 600

## make week   a simulated week of a hundred channels with all that goes wrong in one, in some minutes
week: $(VENV)/.dev
	VEDETTE_WEEK=1 $(BIN)/python -m pytest tests/promises/test_a_week.py -s --timeout 3600

## make soak   three months of the whole service over a clock that leaps, in an hour (DAYS=90)
soak: $(VENV)/.dev
	$(BIN)/python -m bench.soak --days $(DAYS)

## make pictures  how messages look on a phone, for docs/pictures (needs Chromium, and says so)
pictures: $(VENV)/.run
	@$(BIN)/python -m pictures

## make container-test  builds the image and runs it for real, where a machine can (docs/deploying.md; STOPS=20)
container-test: $(VENV)/.dev
	STOPS=$(STOPS) $(BIN)/python -m pytest container -p no:randomly -p no:cacheprovider

## make lock   renew the locked requirements from pyproject.toml
lock: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --extra uk --extra notify --group dev -o requirements-dev.txt
	$(LOCK) pyproject.toml --extra uk -c requirements-dev.txt -o requirements-uk.txt
	$(LOCK) pyproject.toml --extra notify -c requirements-dev.txt -o requirements-notify.txt

$(VENV)/.run: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Vedette needs into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the tests need into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

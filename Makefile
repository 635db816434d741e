# Set-up needs git, make and Python 3.11 or newer; every target prepares its own environment first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# OpenMP threads that wait without spinning: LightGBM beside other work is up to a hundred times slower otherwise.
export OMP_WAIT_POLICY ?= passive
# The demo, the bundled model and the benchmark go by the packaged reference data, whatever copy is in the home folder.
export CLICKSIFT_REFERENCE ?= packaged

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full lint types layers docs site ui bench accuracy notebooks model holdout constraints clean

help:  ## what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the environment in .venv (uv is used where it is installed)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "clicksift needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@if command -v uv >/dev/null 2>&1; then \
	  set -e; [ -x $(BIN)/python ] || uv venv --quiet --python $(PYTHON) $(VENV); \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'; \
	else \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "This Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }; \
	  set -e; [ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear $(VENV); echo "Installing the packages of constraints.txt into $(VENV) ..." >&2; \
	  $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
	fi
	@touch $@

demo: $(READY)  ## simulate a campaign export, score it with the bundled model, show the figures
	@rm -rf demo && $(BIN)/clicksift simulate demo --seed 8 --messages 40000
	@$(BIN)/clicksift score demo/events.parquet --campaigns demo/campaigns.parquet --output demo/scored.parquet

lint: $(READY)  ## ruff: style and common mistakes
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .

types: $(READY)  ## mypy, strict, on the three packages
	@$(BIN)/mypy

layers: $(READY)  ## imports go one way: clicksift > training > serving > features
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache >.layers.log 2>&1 || { cat .layers.log; rm -f .layers.log; exit 1; }; rm -f .layers.log

test: lint types layers  ## all that needs Python alone
	@$(BIN)/pytest -n 2 -m "not slow"
	@echo "Left out of 'make test': tests marked slow (make test-full)."

test-full: $(READY)  ## what takes longer: 20 kills of a run, a million simulated events, the report in a browser
	@$(BIN)/pytest -m slow

bench: $(READY)  ## events/s, peak memory and ratios: scoring, reading, campaign figures, discovery, reputations, the report
	@for name in score readers campaigns discover reputation report; do $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

accuracy: $(READY)  ## what missing columns cost, measured again for the platforms' pages
	@$(BIN)/python -m tests.benchmarks.missing_columns
	@$(BIN)/python -m tests.generated_pages

docs: $(READY)  ## write the generated pages again
	@$(BIN)/python -m tests.generated_pages

site: $(READY) docs  ## build the documentation site into site/, without a network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --clean && echo "The site is in site/; open site/index.html."

ui: $(READY)  ## look at the trainings of mlflow.db in a browser, on this machine alone
	@test -f mlflow.db || { echo "There is no mlflow.db here; clicksift train makes it." >&2; exit 2; }
	@echo "Open http://127.0.0.1:5000; Ctrl-C ends it."
	@MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true $(BIN)/mlflow ui --host 127.0.0.1 --port 5000 \
	  --backend-store-uri sqlite:///mlflow.db --workers 1

notebooks: $(READY)  ## run the four notebooks on a simulated sender; with their pictures they are in build/notebooks
	@mkdir -p build/notebooks && cp notebooks/*.ipynb build/notebooks/
	@for name in first_look misclassifications features retraining; do \
	  $(BIN)/jupyter-execute --inplace build/notebooks/$$name.ipynb && echo "build/notebooks/$$name.ipynb" || exit 1; done

model: $(READY)  ## train the bundled model again on simulated worlds
	@$(BIN)/python -m training.bundled

holdout: $(READY)  ## write docs/evaluation.md again: each kind of machine left out of a training on simulated worlds
	@$(BIN)/python -m training.holdout_worlds

constraints:  ## resolve constraints.txt again (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --extra dev pyproject.toml -o constraints.txt

clean:  ## remove the environment and what the demo made
	@rm -rf $(VENV) demo build site

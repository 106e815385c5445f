# Two commands for a fresh machine: `make demo` and `make test`. Each sets up what it needs.
# PYTHON=/path/to/python3.x chooses the interpreter of the environment (.venv).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help demo test evaluate interpreters lint types contracts docs package format bench clean

help:
	@echo 'make demo          a service that truly deadlocks, with the console on it'
	@echo 'make test          the whole suite, on every CPython 3.10 to 3.15 there is (ARGS="-k locks")'
	@echo 'make evaluate      every verdict on programs that hang and on look-alikes; docs/verdicts.md gets the table'
	@echo 'make lint types contracts docs package    the other checks of .ci/run'
	@echo 'make format bench clean'

demo: $(VENV)/.ready
	@$(BIN)/asyncconsole demo $(ARGS)

test: $(VENV)/.ready-dev interpreters
	@$(BIN)/python -m pytest -n 2 $(ARGS)

evaluate: $(VENV)/.ready-dev interpreters
	@$(BIN)/python -m tests.evaluation.score --write --quiet $(ARGS)

interpreters: $(VENV)/.ready-dev
	@$(BIN)/python .ci/interpreters.py

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

contracts: $(VENV)/.ready-dev
	$(BIN)/lint-imports

docs: $(VENV)/.ready-dev
	$(BIN)/sphinx-build -q -n -W --keep-going docs docs/_build/html
	@echo 'docs: docs/_build/html/index.html'

package: $(VENV)/.ready-dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/package

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-dev
	@$(BIN)/python benchmarks/run.py --write $(ARGS)
	@$(BIN)/python benchmarks/tracking.py
	@$(BIN)/python benchmarks/polls.py
	@$(BIN)/python benchmarks/echo.py
	@$(BIN)/python benchmarks/stalls.py
	@$(BIN)/python benchmarks/watchers.py

clean:
	rm -rf $(VENV) .pythons dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The environment: made once, brought up to date whenever pyproject.toml changes.
$(VENV)/.made:
	@python="$(PYTHON)"; \
	for name in python3 python3.15 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	  [[ -n "$$python" ]] && break; \
	  if "$$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then python=$$name; fi; \
	done; \
	[[ -n "$$python" ]] || { echo 'make: needs Python 3.10 or newer as python3 (or PYTHON=/path/to/python)' >&2; exit 1; }; \
	"$$python" -m venv --clear $(VENV) || { echo "make: $$python can't make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.ready: $(VENV)/.made pyproject.toml
	@echo 'Setting up $(VENV) …' >&2
	@$(BIN)/python -m pip install --quiet --editable '.[all]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@echo 'Setting up $(VENV) for development …' >&2
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

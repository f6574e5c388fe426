PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
KIND ?= test
export PYTHONUTF8 = 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts unit format bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## make a demo city, run it through every stage, serve it (ARGS="--subjects 200000 --no-serve --home DIR --seed 7")
	@$(PYTHON) tools/bootstrap.py base
	@$(BIN)/shutong demo $(ARGS)

test: lint types contracts unit ## lint, types, import contracts, all tests (KIND=spark installs Spark for its tests)

lint: .test-ready ## ruff: style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .test-ready ## mypy, strict
	@$(BIN)/mypy

contracts: .test-ready ## import contracts: the floors of the house
	@$(BIN)/lint-imports

unit: .test-ready ## all tests, on two processes (ARGS="tests/spec -x" for some)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

format: .test-ready ## put the code in the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .test-ready ## ratios to peers, both sides in one run (ARGS="check --full")
	@$(BIN)/shutong bench $(ARGS)

lock: .test-ready ## make the lock files again from pyproject.toml (needs uv)
	@$(BIN)/python tools/lock.py

clean: ## remove caches and build results (the demo home and .venv stay)
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: .test-ready
.test-ready:
	@$(PYTHON) tools/bootstrap.py $(KIND)

# Every target makes the environment when it is missing or when the lock changed; a second call starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Nothing about the use of this project leaves the machine.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export LANGSMITH_TRACING := false

.PHONY: help env demo dev test lint format bench lock clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(STAMP) ## Make the environment (.venv)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	@echo "making $(VENV) (about two minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: $(STAMP) ## Sample agency, yesterday for six advertisers, ranked recommendations
	@$(BIN)/marketing-agents demo $(ARGS)

dev: $(STAMP) ## The Dagster UI on 127.0.0.1:3000
	@$(BIN)/marketing-agents dev $(ARGS)

# By file, in the order of the folders: fixtures of a file are made once, and the long end-to-end files do not come last. (`loadgroup` does
# nothing under pytest 9.2: pytest-xdist 3.8 marks groups in an attribute that is gone.)
test: $(STAMP) ## All tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP) ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## Apply the style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## The measurements, as ratios against a peer
	@$(BIN)/python -m benchmarks $(ARGS)

lock: $(STAMP) ## Resolve again and write requirements.lock (needs uv)
	uv pip compile pyproject.toml --group dev --extra postgres --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --output-file requirements.lock

clean: ## Remove the sample data, the Dagster instance and build results (not the environment)
	rm -rf .data .dagster_home dbt_project/target dbt_project/logs

# Everything a person does with this project. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait for real processes, so four at a time do well on two cores.
SPREAD := -n 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt soak bench venv venv-dev browser

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv ## Start everything: web, workers, scheduler, Redis (PORT=8000, INSTANCE_PATH=./instance)
	@exec $(BIN)/python -m statusapp

test: venv-dev browser ## Set up and run all tests, browser tests included
	@exec $(BIN)/python -m pytest $(SPREAD)

lint: venv-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: venv-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: venv-dev ## The long runs: every fault on both databases, five times, then the benchmarks (about an hour)
	for round in 1 2 3 4 5; do $(BIN)/python -m pytest -m "faults or postgres_faults" || exit 1; done
	API_EXAMPLES=50 $(BIN)/python -m pytest tests/web/test_api_document.py
	$(BIN)/python -m benchmarks.checks
	$(BIN)/python -m benchmarks.page

bench: venv-dev ## Measure the checks: punctuality, CPU, memory (needs nginx)
	$(BIN)/python -m benchmarks.checks

venv: $(VENV)/.run
venv-dev: $(VENV)/.dev

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the requirements (once; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

# The browser tests use the system's Chromium. Where it is missing and may not be installed, they are skipped, loudly.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests ..."; \
	    { timeout 300 apt-get update -qq && timeout 600 apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
	      || echo "WARNING: Chromium could not be installed: THE BROWSER TESTS WILL BE SKIPPED."; \
	  else \
	    echo "WARNING: there is no Chromium here: THE BROWSER TESTS WILL BE SKIPPED. Install it with: apt-get install chromium"; \
	  fi; }

# `make` alone lists what there is. Every target brings the virtual environment up to date first.
PYTHON ?= python3
VENV := .venv

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt soak install install-dev browser

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# `exec` leaves no shell in between, so a signal that make hands on reaches the supervisor itself.
run: install ## Install what is missing and run everything in the foreground (Ctrl-C stops it)
	@exec $(VENV)/bin/python -m statusapp

test: install-dev browser ## Run all tests, browser tests included
	@exec $(VENV)/bin/python -m pytest $(ARGS)

lint: install-dev ## Check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

fmt: install-dev ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# Each soak test ends by itself after 30 minutes at most, all of them together after four hours.
soak: install-dev ## Run the long fault and load tests, then the benchmarks
	timeout --kill-after=30 4h $(VENV)/bin/python -m pytest -m soak --timeout=1800 $(ARGS)
	@set -e; for benchmark in benchmarks/[a-z]*.py; do \
		echo "$$benchmark"; timeout --kill-after=30 30m $(VENV)/bin/python "$$benchmark"; \
	done

install:
	$(call bring_up_to_date,requirements.txt)

install-dev: install
	$(call bring_up_to_date,requirements-dev.txt)

# Playwright drives the system's Chromium, so that no browser has to be downloaded from elsewhere.
browser:
	@for name in chromium chromium-browser google-chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Chromium for the browser tests ..."; \
		export DEBIAN_FRONTEND=noninteractive; \
		if timeout 300 apt-get -qq update </dev/null \
			&& timeout 600 apt-get -qq install -y --no-install-recommends chromium </dev/null >/dev/null; \
		then exit 0; fi; \
		echo "*** SKIPPED: the browser tests. Installing Chromium with apt-get failed; see above."; \
	else \
		echo "*** SKIPPED: the browser tests. There is no Chromium, and only root may install it:"; \
		echo "***          sudo apt-get install chromium"; \
	fi

# The copy of the requirements kept inside the environment says what is installed there: while it equals the file,
# there is nothing to do. pip's own output goes to a log; a person sees one line, or one that counts on a terminal.
define bring_up_to_date
@set -e; \
if cmp -s $(1) $(VENV)/installed-$(1) && $(VENV)/bin/python -c '' 2>/dev/null; then exit 0; fi; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Statusapp needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	echo "Name another one with: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.11" >&2; exit 1; }; \
if ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then \
	echo "Creating $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); \
fi; \
echo "Installing $(1) (once; about a minute) ..."; \
rm -f $(VENV)/installed-$(1); \
{ PYTHONUNBUFFERED=1 $(VENV)/bin/python -m pip install --disable-pip-version-check --progress-bar off \
	--no-input -r $(1) 2>&1; echo "status $$?"; } | tee $(VENV)/install.log | { \
	count=0; status=1; \
	while read -r word rest; do case "$$word" in \
		Collecting) count=$$((count + 1)); if [ -t 1 ]; then printf '\r  %s packages \033[K' $$count; fi;; \
		Installing) if [ -t 1 ]; then printf '\r  %s packages, unpacking them \033[K' $$count; fi;; \
		status) status=$$rest;; \
	esac; done; \
	if [ -t 1 ]; then printf '\r\033[K'; fi; \
	[ "$$status" = 0 ] || { grep -v '^status ' $(VENV)/install.log | tail -n 15 >&2; \
		echo "Installing failed; all of pip's output is in $(VENV)/install.log." >&2; exit 1; }; \
}; \
cp $(1) $(VENV)/installed-$(1)
endef

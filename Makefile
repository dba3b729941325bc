# Everything is installed in $(VENV), nothing anywhere else. PYTHON=... chooses the Python of a new one.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHONS = $(or $(PYTHON),python3.15 python3.14 python3.13 python3.12 python3.11 python3)
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check -r
LOCK = $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: run test test-all coverage lint migration lock endurance bench
.DEFAULT_GOAL := run

run: $(VENV)/run .env
	@$(BIN)/python -m bot

test: $(VENV)/dev
	$(BIN)/python -m pytest -m "not slow"

test-all: $(VENV)/dev
	$(BIN)/python -m pytest

coverage: $(VENV)/dev
	$(BIN)/python -m pytest --cov=bot --cov=cogs --cov-report=term-missing:skip-covered

endurance: $(VENV)/dev
	$(BIN)/python -m tests.endurance

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

lint: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

migration: $(VENV)/dev
	@$(BIN)/python -m tests.support.migration "$(NAME)"
	@$(BIN)/ruff format -q bot/db/migrations/versions

lock: $(VENV)/dev
	$(LOCK) --extra dev -o requirements/dev.txt $(UPGRADE)
	$(LOCK) --extra preview -c requirements/dev.txt -o requirements/preview.txt
	$(LOCK) -c requirements/dev.txt -o requirements.txt

.env: | $(VENV)/run
	@umask 077; sed "s|^SECRET_KEYS=.*|SECRET_KEYS=$$($(BIN)/python -m bot keys new)|" .env.example > .env
	@echo "Made .env, with a fresh key for the secret identities in it. Keep a copy of that key."

# A $(VENV) of an older Python, or one without a working pip, is made anew.
READY := $(shell $(BIN)/python -c 'import sys, pip._internal.cli.main; print(sys.version_info >= (3, 11))' 2>/dev/null)
ifneq ($(READY),True)
.PHONY: $(BIN)/python
$(VENV)/run $(VENV)/dev: $(BIN)/python
endif

# Each candidate is run: pyenv has a shim on the PATH for every Python that it knows, also for those that do not run.
$(BIN)/python:
	@found= bare=; for python in $(PYTHONS); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null && { found=$$python; break; }; \
		bare=$${bare:-$$python}; \
	done; \
	if [ -z "$$found" ]; then \
		if [ -n "$$bare" ]; then echo "$$bare lacks its venv module. On Debian and Ubuntu: apt install $${bare##*/}-venv"; \
		else echo "Python 3.11 or newer is missing. Tried: $(PYTHONS)"; fi >&2; \
		exit 1; \
	fi; \
	if [ -f $(VENV)/pyvenv.cfg ]; then \
		echo "$(VENV) has no working pip, or a Python older than 3.11. Making it anew."; \
		"$$found" -m venv --clear $(VENV); \
	else "$$found" -m venv $(VENV); fi

$(VENV)/run: requirements/preview.txt | $(BIN)/python
	@echo "Installing into $(VENV); this takes up to a minute"
	@$(INSTALL) $<
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(BIN)/python
	@echo "Installing into $(VENV); this takes up to a minute"
	@$(INSTALL) $<
	@touch $@

# Everything is set up in $(VENV); nothing is installed anywhere else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCK = $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: run test lint lock endurance bench
.DEFAULT_GOAL := run

run: $(VENV)/run .env
	@$(BIN)/python -m bot

test: $(VENV)/dev
	$(BIN)/python -m pytest

endurance: $(VENV)/dev
	$(BIN)/python -m tests.endurance

bench: $(VENV)/dev
	$(BIN)/python -m tests.bench

lint: $(VENV)/dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

lock: $(VENV)/dev
	$(LOCK) --extra dev -o requirements/dev.txt $(UPGRADE)
	$(LOCK) --extra preview -c requirements/dev.txt -o requirements/preview.txt
	$(LOCK) -c requirements/dev.txt -o requirements.txt

.env: | $(VENV)/run
	@umask 077; sed "s|^SECRET_KEYS=.*|SECRET_KEYS=$$($(BIN)/python -m bot keys new)|" .env.example > .env
	@echo "Made .env, with a fresh key for the secret identities in it. Keep a copy of that key."

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements/preview.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

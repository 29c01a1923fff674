# make demo | make test | make lint | make types: each prepares .venv by itself, once.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && \
	{ echo $$p; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint types clean

demo: .venv/base.stamp
	$(BIN)/toonify demo --out demo-out

test: .venv/dev.stamp
	$(BIN)/python -m pytest

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

clean:
	rm -rf .venv demo-out

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 is needed and none was found;" \
		"install one (Debian/Ubuntu: sudo apt install python3 python3-venv," \
		"macOS: brew install python@3.12) or name it: make PYTHON=/path/to/python3"; exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual" \
		"environment; on Debian/Ubuntu: sudo apt install python3-venv"; exit 1; }

.venv/base.stamp: .venv/bin/python pyproject.toml constraints.txt
	@echo "Preparing .venv (once; some minutes)..."
	@$(PIP) -e .
	@touch $@

.venv/dev.stamp: .venv/bin/python pyproject.toml constraints.txt
	@echo "Preparing .venv for development (once; some minutes)..."
	@$(PIP) -e ".[dev]"
	@touch .venv/base.stamp $@

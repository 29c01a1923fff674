# make demo | make check | make test: each prepares .venv by itself, once. CONTRIBUTING.md has the rest.
# ARGS reaches pytest: make test ARGS="-n 0 -x tests/realtime".

PYTHON ?= $(shell for p in python3 python python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && \
	{ echo $$p; break; }; done)
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
EXE := .exe
else
BIN := .venv/bin
endif
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo check test test-camera lint types coverage clean

demo: .venv/base.stamp
	$(BIN)/toonify demo --out demo-out

# One process per core, each with one thread; a file's tests stay together and share what they prepare.
# A process that crashes ends the run: with another in its place the run could wait for ever.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart 0
check test coverage: export OMP_NUM_THREADS := 1

check: lint types
	$(PYTEST) -m "not slow" $(ARGS)

test: .venv/dev.stamp
	@.ci/browser
	$(PYTEST) $(ARGS)

# The tests with real cameras, in a virtual machine; tests/camera/vm.py says what it needs.
test-camera: .venv/dev.stamp
	$(BIN)/python -m tests.camera.vm -- $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

coverage: .venv/dev.stamp
	@.ci/browser
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=html $(ARGS)

clean:
	rm -rf .venv demo-out htmlcov .coverage

$(BIN)/python$(EXE):
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 is needed and none was found;" \
		"install one (Debian/Ubuntu: sudo apt install python3 python3-venv," \
		"macOS: brew install python@3.13, Windows: python.org) or name it:" \
		"make PYTHON=/path/to/python3"; exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual" \
		"environment; on Debian/Ubuntu: sudo apt install python3-venv"; exit 1; }

.venv/base.stamp: $(BIN)/python$(EXE) pyproject.toml constraints.txt
	@echo "Preparing .venv (once; some minutes)..."
	@$(PIP) -e .
	@touch $@

.venv/dev.stamp: $(BIN)/python$(EXE) pyproject.toml constraints.txt
	@echo "Preparing .venv for development (once; some minutes)..."
	@$(PIP) -e ".[dev]"
	@touch .venv/base.stamp $@

# `make demo` and `make test` set everything up themselves: python3 (3.11 or newer) and a package index is all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# As many threads as there are cores to use; more only wait for each other.
CORES := $(shell $(PYTHON) -c "import os; print(len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count())")
export OMP_NUM_THREADS ?= $(CORES)

.PHONY: demo test lint unit bench clean

demo: $(READY)
	$(BIN)/python -m DPLSegmentLib demo --output out/demo

test: lint unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore Testing/panel/shell
	$(BIN)/python -m pytest Testing/panel/shell

bench: $(READY)
	$(BIN)/python -m DPLSegmentLib bench

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) out

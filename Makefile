# Two commands: `make demo` shows errata at work, `make test` passes all tests.
# Needs python3.11 or newer and pip; python3-venv is not needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
STORE := sqlite:///$(DEMO)/mlflow.db
PORT ?= 8501
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help demo demo-data test check clean

help:
	@echo "make demo       four runs on real flights, then the app on http://127.0.0.1:$(PORT)"
	@echo "make demo-data  the same without serving"
	@echo "make test       all tests"
	@echo "make check      lint and types"

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --quiet --python $(BIN)/python install uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable . --group dev
	@touch $@

$(DEMO)/.ready: $(VENV)/.ready examples/flights.py examples/data/flights/flights.parquet
	rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(ONE_THREAD) $(BIN)/python examples/flights.py --tracking-uri $(STORE) --artifacts $(DEMO)/artifacts
	@touch $@

demo-data: $(DEMO)/.ready

demo: demo-data
	$(BIN)/errata ui --tracking-uri $(STORE) --experiment flights --port $(PORT)

test: $(VENV)/.ready
	$(ONE_THREAD) $(BIN)/python -m pytest --numprocesses 2

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(DEMO)

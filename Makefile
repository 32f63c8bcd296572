# make demo    the main job on SynthPIE, up to an HTML report
# make test    the tests, against the built wheel
# make check   ruff and mypy
# Each makes .venv and installs the pinned dependencies if need be.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find recog_restore protocols models reports -type f -not -name '*.pyc')

.PHONY: demo test check clean

demo: .venv/wheel
	$(BIN)/rr-eval --protocol multipie-setting2 --pre mdfr --out runs/demo

test: .venv/wheel
	$(BIN)/pytest

check: .venv/dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/dependencies: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt '.[cpu,test,check]'
	touch $@

.venv/wheel: .venv/dependencies $(SOURCES)
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/*.whl
	touch $@

clean:
	rm -rf .venv dist build runs

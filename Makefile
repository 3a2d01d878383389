# Two commands matter: `make demo` runs a campaign, `make test` passes the tests. Both set up everything they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STATE := $(or $(XDG_STATE_HOME),$(HOME)/.local/state)
DEMO ?= $(STATE)/espalier/demo
TRIALS ?= 8

help: ## List the commands
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

setup: .venv/.done ## Make .venv with everything; install bubblewrap where that is allowed
	@command -v bwrap >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq bubblewrap; \
	else echo "bubblewrap is missing, and nothing is measured without it: sudo apt-get install bubblewrap"; exit 1; fi

.venv/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing torch and the rest into .venv: a few minutes the first time"
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[swarm,analysis,report,recipes,full,docs,dev]'
	@echo "espalier is $(BIN)/espalier; '. $(BIN)/activate' puts it on your PATH"
	touch $@

demo: setup ## Run a campaign on the CPU task with the stand-in model; again: resume it
	@test -f "$(DEMO)/campaign.toml" || \
		$(BIN)/espalier init "$(DEMO)" --task airbench_cpu --seeds 3 --specialists opt,aug --submits 2
	@$(BIN)/espalier calibrate "$(DEMO)" --repeats 2 --if-needed
	@echo "watch     $(BIN)/espalier top '$(DEMO)'"
	@echo "audit     git -C '$(DEMO)/lineage.git' log --graph best"
	@echo "          git -C '$(DEMO)/lineage.git' log --first-parent --oneline ledger"
	@echo "verify    $(BIN)/espalier verify '$(DEMO)'"
	@$(BIN)/espalier run "$(DEMO)" --model standin --trials $(TRIALS)

test: setup ## Pass the tests
	$(BIN)/python -m pytest -q -n 2

check: lint types docs wheel matrix slow ## What CI asks for beside `make test`

lint: setup ## Lint, format and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup ## Type-check strictly
	$(BIN)/pyright

slow: setup ## The slow tests: real sessions, kill loops
	$(BIN)/python -m pytest -q -m slow

coverage: coverage-on test slow coverage-off ## Both suites, every process measured; fails below the gate on branches

coverage-on: setup
	$(BIN)/python -m tests.support.coverage_switch on

coverage-off: setup
	$(BIN)/python -m tests.support.coverage_switch off

docs: setup ## Build the documentation site into .site/; links and generated pages are checked
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

wheel: setup ## Build the wheel, install it into an empty environment, run its demo there
	rm -rf dist .venv-wheel
	$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps -w dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt "$$(echo dist/*.whl)[swarm]"
	sh tests/support/wheel_demo.sh .venv-wheel/bin/espalier

MATRIX ?= 3.13
matrix: setup ## The fast suite on other Pythons that this machine has; torch is not needed for it
	@for version in $(MATRIX); do \
		if ! command -v python$$version >/dev/null; then echo "python$$version is not on this machine: skipped"; continue; fi; \
		python="$$(PYENV_VERSION=$$(pyenv latest $$version 2>/dev/null) python$$version -c 'import sys; print(sys.executable)')" && \
		test -x .venv-$$version/bin/python || "$$python" -m venv .venv-$$version; \
		.venv-$$version/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt \
			-e '.[swarm,analysis,report,dev]' && \
		.venv-$$version/bin/python -m pytest -q -n 2 || exit 1; \
	done

browser: setup ## Open reports in a real Chromium; installs what that needs
	@command -v chromium >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium; \
	else echo "chromium is missing: sudo apt-get install chromium"; exit 1; fi
	$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[browser]'
	$(BIN)/python -m pytest -q -m browser

hostile: setup ## Measure every hostile recipe and tool call; HOSTILE=dir runs your own
	$(BIN)/python -m tests.hostile_suite $(HOSTILE)

crash: setup ## Kill a writer 1,000 times, runners, workers and servers 400 times, and lose nothing
	ESPALIER_KILLS=1000 $(BIN)/python -m pytest -q -m slow tests/mcp_server/trial/test_kill.py --timeout 3600

bench: setup ## Measure harness overhead, start-up times and briefs
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.brief
	$(BIN)/python -m benchmarks.sandbox
	$(BIN)/python -m benchmarks.reading

swarm: setup ## Measure ten sessions at once and the parallel efficiency; SECONDS=60 as in the paper
	$(BIN)/python -m benchmarks.swarm --seconds $(or $(SECONDS),5)

gpu: setup ## On a machine with an NVIDIA GPU: check the full-size tasks; CLONES=folder of the upstream clones
	@test -n "$(CLONES)" || { echo "name the folder of the clones: make gpu CLONES=folder; benchmarks/gpu.py says which"; exit 2; }
	$(BIN)/python -m benchmarks.gpu --clones $(CLONES)

.PHONY: help setup demo test check lint types slow coverage coverage-on coverage-off docs wheel matrix browser hostile crash bench swarm gpu

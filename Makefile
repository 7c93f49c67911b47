# Needs GNU make and Python 3.11 or newer; everything else is installed into $(VENV).

VENV ?= .venv
HOST_PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; \
	done)
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
UV := $(PYTHON) -m uv
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock"

T ?=
N ?= 3

# A home that is missing or cannot be written to must not be in the way.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export UV_CACHE_DIR ?= $(abspath $(VENV))/cache/uv
export PIP_CACHE_DIR ?= $(abspath $(VENV))/cache/pip
endif

# What is needed to run is part of what is needed to test: a checkout set up for tests stays so.
TESTABLE := $(VENV)/.testable
RUNNABLE := $(if $(wildcard $(TESTABLE)),$(TESTABLE),$(VENV)/.runnable)

.DEFAULT_GOAL := help
.PHONY: help setup demo walk test bench rivals companies torture doors crashpoints run api worker sweeper listener check fix chart hooks audit package docs screenshots pictures lock clean
.DELETE_ON_ERROR:

help: ## What can be done here
	@sed -n 's/^\([a-z ]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 32

setup: $(TESTABLE) ## Install everything, for running and for testing

demo: $(RUNNABLE) ## Both partner systems simulated, the whole bridge running, first events sent
	@exec $(VENV)/bin/bridge demo

walk: $(RUNNABLE) ## The start guide from top to bottom on a simulated company; ends by itself
	@exec $(VENV)/bin/bridge walk

test: $(TESTABLE) ## Run the test suite; T=tests/test_money.py or T="-k invoice" to choose, N=0 for one at a time
	@exec $(PYTHON) -m pytest -n $(N) --dist loadgroup $(T)

torture: $(TESTABLE) ## 10,000 invoices through 1,000 kills, 100 pauses and faults of all kinds; T="--seed 7", T="--celery"
	@exec $(PYTHON) -m tests.proof.torture --report var/torture.jsonl $(T)

doors: $(TESTABLE) ## 2,000 changes by listener and poller alone, each killed 50 times, and the socket dropped; T="--seed 7"
	@exec $(PYTHON) -m tests.proof.doors $(T)

crashpoints: $(TESTABLE) ## A process killed before and after each step of every handler, once and twice, on both databases
	@CRASHPOINTS=1 exec $(PYTHON) -m pytest -n $(N) tests/proof/test_crashpoints.py $(T)

bench: $(TESTABLE) ## What docs/performance.md shows, measured here; a part alone: T="acks", T="growth --size 100000"
	@exec $(PYTHON) -m tests.bench $(T)

rivals: $(TESTABLE) ## The same invoices through the bridge, plain Celery, Node-RED and n8n; needs npm, fetches gigabytes
	@exec $(PYTHON) -m tests.bench.rivals $(T)

companies: $(TESTABLE) ## What 200 and 500 companies with steady events cost one machine, and one with 10,000 records the others
	@$(PYTHON) -m tests.scale.companies $(T)
	@$(PYTHON) -m tests.scale.fairness

run: $(RUNNABLE) ## The whole bridge, as the environment says, in the foreground
	@exec $(VENV)/bin/bridge run

api worker sweeper listener: $(RUNNABLE) ## One process of the bridge
	@exec $(VENV)/bin/bridge $@

check: $(TESTABLE) ## What CI looks at: format, lint, types
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

fix: $(TESTABLE) ## Mend what a machine can mend
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

package: $(TESTABLE) ## Build the wheel into dist/, and try it in an environment of its own
	rm -rf build/lib build/bdist.* dist
	$(UV) build --quiet --wheel --out-dir dist .
	$(PYTHON) tests/try_package.py dist/*.whl requirements.txt

docs: $(TESTABLE) $(VENV)/docs/.ready ## The documentation as a site, in build/site; every link is checked
	$(PYTHON) docs/site/gather.py build/docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/python -m mkdocs build --strict --config-file docs/site/mkdocs.yml

$(VENV)/docs/.ready: requirements-docs.txt | $(VENV)/.installer
	@test -x $(VENV)/docs/bin/python || $(UV) venv --quiet $(VENV)/docs
	@$(UV) pip sync --quiet --python $(VENV)/docs/bin/python --require-hashes requirements-docs.txt
	@touch $@

chart: $(TESTABLE) ## Render the Helm chart, for the tests that look at it, and check it by Kubernetes' schemas
	@exec $(UV) run --quiet --no-project --with helm-python-sdk==0.2.2 --with kubernetes-validate==1.37.0 \
		--with pyyaml python -m tests.deploying.render_chart

hooks: $(TESTABLE) ## Check before each commit what make check checks, by pre-commit
	$(UV) tool run --quiet pre-commit@4.7.0 install

audit: $(VENV)/.installer ## Look for known vulnerabilities in the dependencies, where that can be asked
	@$(UV) tool run --quiet pip-audit@2.10.1 --version >/dev/null 2>&1 \
		|| { echo "audit: pip-audit cannot be had here; nothing was looked up."; exit 0; }; \
	said=$$($(UV) tool run --quiet pip-audit@2.10.1 --disable-pip --require-hashes --timeout 20 \
		--progress-spinner off -r requirements.txt 2>&1); ended=$$?; echo "$$said" | grep -v "could not be audited"; \
	unknown=$$(echo "$$said" | grep -c "could not be audited"); \
	test "$$unknown" -eq 0 || echo "audit: nothing is known here about $$unknown of the dependencies."; \
	case "$$said" in *ConnectionError*|*ServiceError*|*"Failed to connect"*|*HTTPError*|*"Max retries"*) \
		echo "audit: the lists of vulnerabilities cannot be reached; nothing was looked up."; exit 0;; esac; \
	exit $$ended

screenshots: $(TESTABLE) ## Every page of the console as a picture, into var/screenshots; needs Chromium
	@exec $(PYTHON) -m tests.console.screenshots var/screenshots $(T)

pictures: $(TESTABLE) ## The few pictures of the README, into docs/pictures; needs Chromium
	@exec $(PYTHON) -m tests.console.screenshots docs/pictures --readme

lock: $(VENV)/.installer ## Choose the versions of all dependencies anew
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra otel --output-file requirements-otel.txt
	$(COMPILE) --extra otel --group dev --output-file requirements-dev.txt
	$(COMPILE:pyproject.toml=) --group docs --output-file requirements-docs.txt

clean: ## Remove what was installed and generated; var/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find app workers tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(PYTHON):
	@test -n "$(HOST_PYTHON)" || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@$(HOST_PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(HOST_PYTHON) has no ensurepip: install its venv package (Debian, Ubuntu: python3-venv)." >&2; exit 1; }
	@$(HOST_PYTHON) -m venv $(VENV)

$(VENV)/.installer: | $(PYTHON)
	@if $(PIP) --quiet install uv; then echo uv >$@; \
	else echo pip >$@; echo "uv cannot be installed here; pip will do, more slowly."; fi

$(TESTABLE): LIST := requirements-dev.txt
$(TESTABLE): requirements-dev.txt
$(VENV)/.runnable: LIST := requirements.txt
$(VENV)/.runnable: requirements.txt

$(TESTABLE) $(VENV)/.runnable: pyproject.toml | $(VENV)/.installer
	@echo "Installing $(LIST) into $(VENV)"
	@if grep -q uv $(VENV)/.installer; then \
		$(UV) pip sync --quiet --python $(PYTHON) --require-hashes $(LIST) \
		&& $(UV) pip install --quiet --python $(PYTHON) --no-deps --editable .; \
	else false; fi || { \
		$(PIP) install --require-hashes --only-binary :all: --requirement $(LIST) \
		&& $(PIP) install --no-deps --editable .; \
	}
	@touch $@

# One command per job; `make help` lists them. Needs Linux and Python >= 3.11 with venv; tools/setup.sh gets the rest.
.DEFAULT_GOAL := help
.PHONY: help setup lab faults anomalies conformance test check lint coverage soak mutants bench bench-tune bench-resync bench-synth synth dist format lock clean stale

ENV ?= dev
ROUNDS ?= 5
READY := .venv/.ready
# jsii (CDK's Python side) looks for `node` on PATH.
RUN := PATH="$$(pwd -P)/.venv/bin:$$PATH"
# The stamp holds the folder of the checkout, as scripts in .venv do: set up again where it was moved, or lost a part.
STALE := $(shell [ "$$(cat $(READY) 2>/dev/null)" = "$$(pwd -P)" ] && [ -x .venv/bin/node ] && [ -e tools/node_modules/aws-cdk ] || echo stale)

# npm, jsii and the CDK command keep caches at home; a user of a container may have none.
ifeq ($(shell [ -w "$$HOME" ] && echo writable),)
export HOME := $(shell mkdir -p build/home && cd build/home && pwd -P)
endif

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target what; do printf '%-16s %s\n' "  $$target" "$$what"; done

setup: $(READY) ## make .venv and tools/node_modules (every target below does so first)
	@:

$(READY): pyproject.toml lab/pyproject.toml tools/requirements.txt tools/package.json tools/package-lock.json tools/setup.sh $(STALE)
	@sh tools/setup.sh

lab: $(READY) ## the main job on real parts: no AWS, no root, no Docker
	.venv/bin/nodeway lab suite

faults: $(READY) ## every fault under load, with and without HAProxies: build/lab/faults.json, docs/faults.md
	.venv/bin/nodeway lab suite faults && .venv/bin/python -m lab.resilience.report

anomalies: $(READY) ## every fault of a path named by the probe, and what the probe costs: build/lab/probe.json, docs/probe.md
	.venv/bin/nodeway lab suite probe && .venv/bin/python -m lab.detection.report

conformance: $(READY) ## every client in every way, real programs: build/conformance/report.json, docs/clients.md
	$(RUN) .venv/bin/python -m lab.conformance && .venv/bin/python -m lab.conformance.report.page

test: lint ## every test, the lab's included
	$(RUN) .venv/bin/pytest -m "not lab" --numprocesses auto
	$(RUN) .venv/bin/pytest -m lab --numprocesses 2

check: lint ## format, lint, types, import rules, fast tests
	$(RUN) .venv/bin/pytest -m "not lab and not slow" --numprocesses auto

lint: $(READY) ## format, lint, types, import rules
	.venv/bin/ruff format --check --quiet
	.venv/bin/ruff check --quiet
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

coverage: $(READY) ## fast tests with branch coverage
	$(RUN) .venv/bin/pytest -m "not lab" --cov --cov-report=term-missing:skip-covered

soak: $(READY) ## 20,000 random steps of the resync against strict fakes, fresh examples of each property; SEED=N repeats
	$(RUN) .venv/bin/python -m tests.property.soak $(if $(SEED),--seed $(SEED))

mutants: $(READY) ## each guard switched off must make a test fail
	.venv/bin/python tools/mutants.py

bench: $(READY) ## what a HAProxy per node costs beside direct, kernel forwarding and Envoy (ROUNDS=5): docs/performance.md
	.venv/bin/python -m lab.bench --rounds $(ROUNDS)

bench-tune: $(READY) ## what single changes of HAProxy's configuration give: build/bench/tuning.json
	.venv/bin/python -m lab.bench --tune --rounds $(ROUNDS)

bench-resync: $(READY) ## what a resync costs with 6, 50 and 500 nodes: build/bench/resync.json
	.venv/bin/python -m lab.bench.product.resync

bench-synth: $(READY) ## what a synth costs with 6, 50 and 500 nodes beside an empty app: build/bench/synth.json
	.venv/bin/python -m lab.bench.product.synth

synth: $(READY) ## make synth ENV=dev: templates in build/cdk.out, checked by cdk-nag and cfn-lint; ENV=500: as many made-up nodes
	@sh tools/synth.sh "$(ENV)"

dist: $(READY) ## the wheel of the library and the command: build/dist
	@rm -rf build/dist
	@.venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/dist .
	@ls build/dist/*.whl

format: $(READY) ## let ruff format and fix what it can
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

# Locked with the oldest Python, as only it needs every package. No registry's address goes into a lock.
NPM_LOCK := install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
COMPILE := --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: $(READY) ## renew every lock (UPGRADE=--upgrade for newer versions)
	@.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "lock: needs a .venv of Python 3.11: make clean lock PYTHON=python3.11")'
	.venv/bin/pip-compile $(COMPILE) --all-extras $(UPGRADE) --output-file tools/requirements.txt pyproject.toml lab/pyproject.toml
	sed -n -E '/^redis==/,/[^\\]$$/p' tools/requirements.txt >nodeway/constructs/sandbox/requirements.txt
	$(RUN) npm --prefix tools $(NPM_LOCK)
	cd lab/conformance/clients/python && ../../../../.venv/bin/pip-compile $(COMPILE) $(UPGRADE) --output-file requirements.txt requirements.in
	$(RUN) npm --prefix lab/conformance/clients/node $(NPM_LOCK)

clean: ## remove everything that a target made
	rm -rf .venv tools/node_modules build cdk.out .coverage *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

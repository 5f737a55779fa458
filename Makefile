# Everything runs from .venv, which the first target that needs it makes; see `make help`.
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# In CI no lab test may be skipped, and no fewer may run than the number on record.
IN_CI := $(filter-out false 0,$(CI))
lab_gate = $(if $(IN_CI),--lab-floor=tests/lab_floor_$(1).txt)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check test-fast test-slow peers docs screenshot bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: .venv/installed-base ## set up .venv and rehearse a plan: Tokyo lost, Osaka takes over
	@$(BIN)/kirikae run tokyo-osaka-dr --out runs/demo

test: check test-fast test-slow ## everything: checks, then the tests, fast ones first

check: .venv/installed-dev ## style, types and the import contracts of the rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test-fast: .venv/installed-dev ## the tests that take milliseconds
	$(PYTEST) -m "not slow and not lab" -n auto

test-slow: .venv/installed-dev peers ## the tests that take seconds, and the lab tests (real peers)
	$(PYTEST) -m "slow and not alone" -n auto --dist loadgroup --durations=15 $(call lab_gate,side_by_side)
	$(PYTEST) -m "alone or (lab and not slow)" -n 0 --durations=10 $(call lab_gate,alone)

peers: ## install the programs that lab tests talk to, if you may install packages
	@.ci/setup peers

docs: .venv/installed-docs ## the documentation as pages for a browser, into build/docs/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open build/docs/index.html in a browser."

screenshot: .venv/installed-base ## take the picture of a report anew that README.md shows; needs chromium
	$(BIN)/python -m docs.screenshot

bench: .venv/installed-bench ## measure: run everything in benchmarks/; takes some minutes
	$(BIN)/python -m benchmarks

clean: ## remove .venv, caches, builds and the demo's results
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build runs/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed-base: pyproject.toml .ci/setup
	@.ci/setup base

.venv/installed-dev: pyproject.toml .ci/setup
	@.ci/setup dev

.venv/installed-docs: pyproject.toml .ci/setup
	@.ci/setup docs

.venv/installed-bench: pyproject.toml .ci/setup
	@.ci/setup bench

# The workshop. Every target sets up what it needs; a second run installs nothing.
# SLIPWAY_TOOLBOX names the cache of parts (default .slipway/toolbox); SLIPWAY_INSTALL=never forbids installing.

.DEFAULT_GOAL := help
.PHONY: help setup setup-platform demo dev test soak check bench histories clean
MAKEFLAGS += --no-print-directory

# The machine's Node if it is new enough, else the one that npm brings.
NODE := $(shell node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 24)' 2>/dev/null && command -v node || echo node_modules/.bin/node)
SUITES := unit workflows conformance simulation integration faults e2e

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'make test-<suite>   One suite alone: $(SUITES)'

# npm writes this file when an installation is complete. `npm ci` wants the packages of every platform in the lockfile,
# which a registry mirror may not have; `npm install` then takes what this platform needs, in the lockfile's versions.
node_modules/.package-lock.json: package-lock.json
	@command -v npm >/dev/null || { echo 'slipway: npm is not on PATH: install Node.js with npm' >&2; exit 1; }
	@echo 'setup: installing npm packages (package-lock.json)'; started=$$(date +%s); \
	{ npm ci --loglevel=silent || npm install --no-save --loglevel=error; } >/dev/null && touch $@ && \
	echo "setup: installed npm packages in $$(($$(date +%s) - started)) s"

setup: node_modules/.package-lock.json ## Find or install every part
	@$(NODE) local/setup.ts

# Without what only tests need.
setup-platform: node_modules/.package-lock.json
	@$(NODE) local/setup.ts platform

demo: setup-platform ## A real service from a git push to production, and a bad version back
	@$(NODE) local/demo.ts

dev: setup-platform ## Start the platform and leave it running until Ctrl-C
	@$(NODE) local/dev.ts

test: setup check ## Every check and every test
	@$(NODE) test/run.ts

# make test-<suite>: unit, workflows, conformance, simulation, integration, faults or e2e
$(SUITES:%=test-%): test-%: setup
	@$(NODE) test/run.ts $*

soak: setup ## Run simulated releases of SEEDS=1000 worlds, from SEED=1 on
	@SEED='$(or $(SEED),1)' SEEDS='$(or $(SEEDS),1000)' $(NODE) test/simulation/soak.ts

check: node_modules/.package-lock.json ## Style, types, import directions, unused code
	@npm run --silent check

bench: setup ## Run bench/$(NAME).ts and hold its figures against their bars
	@test -n '$(NAME)' || { echo 'slipway: say which: make bench NAME=<name>; there are:' $(basename $(notdir $(filter-out bench/run.ts,$(wildcard bench/*.ts)))) >&2; exit 1; }
	@$(NODE) bench/run.ts $(NAME)

histories: setup ## Keep the histories against which replay tests hold the workflows
	@$(NODE) test/replay/record.ts

clean: ## End what a killed launcher left and remove what was made, except the toolbox
	@if [ -e $(firstword $(NODE)) ]; then $(NODE) local/clean.ts; else echo 'slipway: nothing to clean: no npm packages, so nothing ran'; fi

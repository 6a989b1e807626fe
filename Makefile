# The front desk. Each target sets up what it needs, on a machine with Node 20 or newer, npm and GNU make.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

version ?= v1.0.0
# Whether make build also writes synctl-licenses.txt and packer-licenses.txt: licenses=yes
licenses ?=
# Which tests to run: all, or such as TESTS=test/cli
TESTS ?=
# What a measurement is told, such as OPTIONS="--rounds 3"
OPTIONS ?=
# What they hold is data, such as the name of a tag: make expands nothing in it, and programs get it from the environment,
# so that no shell reads it as a command. xargs splits it into words, and knows quotes. Where
# it gets none, it runs nothing on macOS, so it always gets the first.
override version := $(value version)
override licenses := $(value licenses)
override TESTS := $(value TESTS)
override OPTIONS := $(value OPTIONS)
export version TESTS OPTIONS

# Node 24, tsc, vitest and biome come with npm ci.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SETUP := node_modules/.keel-setup

.PHONY: help
help: ## Show this help
	@echo "Usage: make TARGET"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: build
build: compile ## Build ./synctl and ./packer; version=v1.2.3 is what --version prints
	@node build/scripts/build-cli.js synctl packer --version "$$version" $(if $(licenses),--licenses)

.PHONY: build-sync
build-sync: compile ## Build ./synctl alone
	@node build/scripts/build-cli.js synctl --version "$$version"

.PHONY: build-pack
build-pack: compile ## Build ./packer alone
	@node build/scripts/build-cli.js packer --version "$$version"

.PHONY: test
test: compile ## Run all tests, with real registries; TESTS=test/cli for some
	@sh scripts/test-peers.sh
	@printf 'run %s\n' "$$TESTS" | xargs vitest

.PHONY: demo
demo: build ## Show mirroring and packing on this machine, without a network
	@node build/scripts/demo.js

.PHONY: try
try: build ## Start two small registries on this machine to try ./synctl with; Ctrl-C ends them
	@node build/scripts/try.js

.PHONY: bench
bench: bench-setup ## Measure against the tools people use instead; OPTIONS="--rounds 5 --json FILE"
	@printf 'build/bench/run.js %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-full
bench-full: bench-setup ## The same with all sizes; takes an hour and more
	@printf 'build/bench/run.js --full %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-sync
bench-sync: bench-setup ## Measure mirroring alone; OPTIONS="--full" for all sizes, here and below
	@printf 'build/bench/run.js --part sync %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-noop
bench-noop: bench-setup ## Measure mirroring what has not changed
	@printf 'build/bench/run.js --part noop %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-pack
bench-pack: bench-setup ## Measure packing
	@printf 'build/bench/run.js --part pack %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-upload
bench-upload: bench-setup ## Measure publishing to Kodo
	@printf 'build/bench/run.js --part upload %s\n' "$$OPTIONS" | xargs node

.PHONY: bench-setup
bench-setup: build
	@sh scripts/test-peers.sh time curl

.PHONY: soak
soak: build ## Kill a mirror and a packer at 200 random moments each, and mirror in 400 kinds of bad weather
	@printf 'build/bench/soak.js %s\n' "$$OPTIONS" | xargs node

.PHONY: fuzz
fuzz: compile ## Look for input that breaks a reader; OPTIONS="--seconds 600 --seed 1" for more
	@printf 'build/test/hostile/fuzz.js %s\n' "$$OPTIONS" | xargs node

.PHONY: lint
lint: $(SETUP) ## Check style and shell scripts
	@biome ci --colors=off --diagnostic-level=warn .
	@sh scripts/shellcheck.sh

.PHONY: fmt
fmt: $(SETUP) ## Bring all files into form
	@biome check --write .

.PHONY: docs
docs: compile ## Write the tables that the code knows into docs/, the READMEs of the actions and action.yml
	@node build/scripts/docs.js

.PHONY: tables
tables: compile ## Ask upstream what src/config/kubernetes should know; OPTIONS="--all" for old releases, too
	@printf 'build/scripts/tables.js %s\n' "$$OPTIONS" | xargs node

.PHONY: dist
dist: compile ## Bundle the actions into dist/
	@node build/scripts/dist.js

.PHONY: dist-check
dist-check: dist ## Fail where dist/ is not what the sources make
	@sh scripts/dist-check.sh

.PHONY: clean
clean: ## Remove what was built; node_modules stays
	@rm -rf build .demo synctl packer

.PHONY: compile
compile: $(SETUP)
	@node scripts/check-node.js
	@tsc -b

$(SETUP): package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20 or newer, with npm" >&2; exit 1; }
	npm ci --no-update-notifier --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

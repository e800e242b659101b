# The commands of this project. Only Rust, make, a C compiler, Python and Node are needed; each target says what is
# missing and how to get it.

.DEFAULT_GOAL := help
.PHONY: help run check test soak bench

# What `make run` builds with. bench-quick is optimised as a release but links in a fraction of the time; the
# release profile itself (one unit, full link-time optimisation) is for packages. For the fastest edit-and-try loop:
# make run PROFILE=dev
PROFILE ?= bench-quick
# Passed on: make run ARGS="--config examples/minimal.yaml"
ARGS ?=

# rustup adds its directory to login shells only.
export PATH := $(PATH):$(HOME)/.cargo/bin

need = @command -v $(1) >/dev/null 2>&1 || { echo "$(1) is missing. Install it with:  $(2)" >&2; exit 2; }
need_rust = $(call need,cargo,curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh)
need_cc = $(call need,cc,apt-get install -y build-essential)
need_python = $(call need,python3,apt-get install -y python3 python3-venv)

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: ## Build Wellhead and start it; ARGS="..." are given to `wellhead serve`
	$(need_rust)
	$(need_cc)
	@cargo run --profile $(PROFILE) --package wellhead -- serve $(ARGS)

check: ## Quick loop: format, lint, tidy, unit tests
	$(need_rust)
	$(need_python)
	@python3 tests/run.py --check $(ARGS)

test: ## Everything that gates; installs what the tests need
	$(need_python)
	@python3 tests/run.py $(ARGS)

soak: ## Long runs: kills, reloads, seeds and fuzzing for hours
	$(need_rust)
	$(need_python)
	@python3 tests/soak/run.py $(ARGS)

bench: ## Side by side with nginx and HAProxy; writes docs/reference/benchmarks.md
	$(need_rust)
	$(need_python)
	@python3 bench/run.py $(ARGS)

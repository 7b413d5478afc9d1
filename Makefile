# Every target works on a machine that has Python 3.11 to 3.13 and make, without root.
# `make` or `make help` lists them.

PYTHON := .venv/bin/python
SYNCED := .venv/.synced
STACK := $(PYTHON) -m infra.local

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  %-18s %s\n' "$$name" "$$text"; done

##@ Run

.PHONY: setup demo up down status scale autoscale notebook
.PHONY: bench bench-publish bench-train bench-scale bench-distributed bench-gpu bench-serve bench-serve-options
.PHONY: bench-controls bench-memory bench-night bench-whole-night
setup: $(SYNCED) ## Make .venv from the lock file

# Python decides in bootstrap.py which interpreter will do, and says so when none does.
$(SYNCED): uv.lock pyproject.toml infra/local/bootstrap.py infra/local/bootstrap-requirements.txt
	@python3 infra/local/bootstrap.py
	@touch $@

demo: $(SYNCED) ## Start everything, load a real shop's history, train, show recommendations
	@$(STACK) demo

up: $(SYNCED) ## Start the local stack: HBase, Redis, services, load balancer
	@$(STACK) up

down: $(SYNCED) ## Stop the local stack; its data stays
	@$(STACK) down

notebook: $(SYNCED) ## Open the notebooks in JupyterLab, on the models of the local stack
	@$(STACK) run -- $(PYTHON) -m jupyterlab notebooks

status: $(SYNCED) ## Show the processes of the stack, their memory and health
	@$(STACK) status

scale: $(SYNCED) ## Run REPLICAS=n of SERVICE=gateway, recommender or ingest
	@$(STACK) scale $(SERVICE) $(REPLICAS)

autoscale: $(SYNCED) ## Add and drain replicas as the load changes, until interrupted
	@$(STACK) autoscale

bench: $(SYNCED) ## Measure rows written to and read from HBase, on a stack of its own
	@$(STACK) up --name bench --only stores
	@$(STACK) run --name bench --admin -- $(PYTHON) -m benchmarks.bench_hbase; code=$$?; \
		$(STACK) down --name bench; exit $$code

bench-read: $(SYNCED) ## Measure how reading the behaviour from HBase grows with it, on a stack of its own
	@$(STACK) up --name bench --only stores
	@$(STACK) run --name bench --admin -- $(PYTHON) -m benchmarks.bench_read; code=$$?; \
		$(STACK) down --name bench; exit $$code

bench-night: $(SYNCED) ## Measure a night's full read beside that of one more day, on a stack of its own
	@$(STACK) up --name bench --only stores
	@$(STACK) run --name bench --admin -- $(PYTHON) -m benchmarks.bench_night; code=$$?; \
		$(STACK) down --name bench; exit $$code

bench-whole-night: $(SYNCED) ## Measure each step from import to pointer of a made-up shop, on a stack of its own
	@RECSYS_REDIS_MEMORY=$${RECSYS_REDIS_MEMORY:-4gb} $(STACK) up --name bench --only stores
	@$(STACK) run --name bench --admin -- $(PYTHON) -m benchmarks.bench_whole_night; code=$$?; \
		$(STACK) down --name bench; exit $$code

bench-publish: $(SYNCED) ## Measure the CPU that publishing a user to Redis costs
	@$(PYTHON) -m benchmarks.bench_publish

bench-train: $(SYNCED) ## Measure training beside implicit and Spark MLlib (which needs a full JDK)
	@$(PYTHON) -m benchmarks.bench_train

bench-scale: $(SYNCED) ## Measure how time and memory of each nightly stage grow with the shop
	@$(PYTHON) -m benchmarks.bench_scale

bench-distributed: $(SYNCED) ## Measure training on two Spark executors against one
	@$(PYTHON) -m benchmarks.bench_distributed

bench-gpu: $(SYNCED) ## Measure training on an NVIDIA GPU
	@$(PYTHON) -m benchmarks.bench_gpu

bench-serve: $(SYNCED) ## Measure CPU and latency of answers, under closed and open load
	@$(PYTHON) -m benchmarks.bench_serve

bench-serve-options: $(SYNCED) ## Measure what each option of serving brings, and growth with the shop
	@$(PYTHON) -m benchmarks.bench_serve_options

bench-controls: $(SYNCED) ## Measure what filters, rules, diversity and reasons cost a recommender
	@$(PYTHON) -m benchmarks.bench_controls

bench-memory: $(SYNCED) ## Measure whether memory stays flat over 200 swaps, and ten minutes of load and restarts
	@$(PYTHON) -m benchmarks.bench_memory

##@ Develop

.PHONY: test test-faults test-unit checklist lint format proto proto-check clients clean
test: $(SYNCED) lint ## Check everything, then run all tests on stacks of their own, two files at a time
	@$(STACK) fetch
	@$(PYTHON) -m pytest -n auto --no-loadscope-reorder

test-faults: $(SYNCED) ## Kill, hang, empty, slow down and overload parts under load; print what it did
	@$(STACK) fetch
	@$(PYTHON) -m pytest tests/faults

test-unit: $(SYNCED) ## Run the tests that need neither servers nor network
	@$(PYTHON) -m pytest tests/unit

checklist: $(SYNCED) ## Run the test of each thing that a shop expects; print which of them work
	@$(STACK) fetch
	@$(PYTHON) -m tests.checklist

lint: $(SYNCED) ## Check style, types, the architecture and the protocol
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/buf lint proto

format: $(SYNCED) ## Put the sources in their standard form
	@.venv/bin/ruff check --fix-only
	@.venv/bin/ruff format

PROTOS = $(shell find proto -name '*.proto')

proto: $(SYNCED) ## Generate recsys/rpc from proto/
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. --mypy_out=. \
		--mypy_grpc_out=. $(PROTOS)

clients: $(SYNCED) ## Generate the clients' types from the API's description, and build the tracker
	@$(PYTHON) -m clients.generate

proto-check: $(SYNCED) ## Fail if recsys/rpc is not what proto/ generates
	@$(PYTHON) -m pytest -q tests/unit/test_generated_code.py

clean: ## Stop all stacks of this checkout and delete their data, caches and .venv
	@if [ -x $(PYTHON) ]; then $(STACK) down --all; fi
	rm -rf .local .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

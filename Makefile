# Every habit of this project. `make help` lists them.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.ready-to-run
DEV_READY := $(VENV)/.ready-to-develop
BENCH_READY := $(VENV)/.ready-to-measure

.DEFAULT_GOAL := help
.PHONY: help run test test-fast faults faults-cluster faults-export redeems timings bench bench-short accessibility screenshots words check format docs lock clean assets load load-short

help: ## List what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(RUN_READY) ## Serve everything on http://127.0.0.1:8000 (PORT=… changes it) with made-up data
	@$(BIN)/check-data run --port $(PORT)

test: $(DEV_READY) assets ## Run the whole suite, on as many processes as WORKERS says (2)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(DEV_READY) ## Run the tests that need no server
	@$(BIN)/python -m pytest tests/unit tests/contract

faults: $(DEV_READY) ## Kill everything again and again, and write what happened into docs/faults.md
	@$(BIN)/python -m tests.faults.campaign

faults-cluster: $(DEV_READY) ## The same on a cluster of Valkeys and a Postgres with a replica: nodes are lost, the replica promoted
	@$(BIN)/python -m tests.faults.spread

faults-export: $(DEV_READY) ## Kill what makes files 200 times, and write what became of them into docs/faults.md
	@$(BIN)/python -m tests.faults.exports

redeems: $(DEV_READY) ## Redeem one link ten thousand times at once
	@CHECK_DATA_TEST_REDEEMS=10000 $(BIN)/python -m pytest tests/security/test_links.py -k exactly_one -n 0

timings: $(DEV_READY) ## Measure at length whether asking for a link tells who has access
	@CHECK_DATA_TEST_TIMINGS=2000 $(BIN)/python -m pytest tests/security/test_enumeration.py -k same_time -n 0

bench: $(BENCH_READY) ## Measure against peers and raw limits, and write docs/benchmarks.md (half an hour, quiet machine)
	@$(BIN)/python -m benchmarks

bench-short: $(BENCH_READY) ## The same in a few minutes, with fewer rounds and shorter logs
	@$(BIN)/python -m benchmarks --short

accessibility: $(DEV_READY) assets ## Look at every page in every state, desk and phone; write var/accessibility.md
	@CHECK_DATA_THOROUGHLY=1 $(BIN)/python -m pytest tests/browser/test_every_page.py

load: $(BENCH_READY) ## Play the start of a term: more and more users on the whole system; writes docs/load.md (5 minutes)
	@$(BIN)/python -m benchmarks.load

load-short: $(BENCH_READY) ## The same in a minute, with a small world and few users
	@$(BIN)/python -m benchmarks.load --short

screenshots: $(DEV_READY) assets ## Take a picture of every page, desk and phone, into var/screenshots/every-page
	@$(BIN)/python -m tests.browser.gallery

check: $(DEV_READY) ## Lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_READY) ## Put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV_READY) ## Generate the API and event references in docs/
	$(BIN)/python -m docs.generate

assets: $(RUN_READY) ## Fetch GOV.UK Frontend and put it where the gateway serves it from
	@$(BIN)/python -m services.gateway.assets

words: $(DEV_READY) ## Collect all words of the pages for translators, and give them to the catalogues
	@$(BIN)/python -m services.gateway.extraction

lock: $(DEV_READY) ## Lock the requirements anew, with hashes and without addresses
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements/service.txt
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra embedded -o requirements/run.txt
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra assets -o requirements/assets.txt
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra assets --extra image -o requirements/image.txt
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra embedded --extra dev -o requirements/dev.txt
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --extra embedded --extra dev --extra bench -o requirements/bench.txt

clean: ## Remove everything that was made here: environment, data, caches
	rm -rf $(VENV) var node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_READY): requirements/run.txt pyproject.toml
	@echo "Installing what the services need (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/assets.txt
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): $(RUN_READY) requirements/dev.txt
	@echo "Installing what the tests and checks need (once)"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(BENCH_READY): $(DEV_READY) requirements/bench.txt
	@echo "Installing what the benchmarks compare with (once)"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# `make help` lists what can be done here. Everything runs from `.venv` in this folder, or from VENV.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SECONDS ?= 600
# Tests wait for disks and browsers, too: one more at a time than a small machine has cores.
WORKERS ?= 3
# One, thirteen and sixty months from now; TESTS names files or folders, all of them if it is empty.
DAYS ?= 30 396 1826
TESTS ?=
SAMPLE := $(addprefix tests/,gateway health tables trust web test_store.py test_vault.py test_worker.py)
# What finds most mistakes soonest: house rules and words, strict readers, decisions, lists, packages, the journey.
QUICK := $(addprefix tests/,test_house_rules.py test_house_names.py prose strict test_days.py test_receipt_document.py \
    access/policy access/files/test_bdd.py access/test_permit.py access/lists/test_pages.py routing/test_route.py \
    package/test_envelope.py package/zip line/test_queue.py line/test_duties.py web/test_problems.py test_journey.py)
# Where bytecode is not kept, every process of the tests compiles the product and its asserts anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo quick test coverage days sample long mutants hostile fuzz bench check format pictures texts lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: $(VENV)/.complete ## build .venv with inbox in it, from hash-locked requirements

$(VENV)/.complete: requirements/dev.txt pyproject.toml package-lock.json hatch_build.py
	rm -rf $(VENV)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "inbox needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/dev.txt
	$(BIN)/python hatch_build.py
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation --editable .
	touch $@

demo: setup ## run the whole line on this machine, with made-up mail
	$(BIN)/inbox demo

quick: setup ## a chosen part of the tests, on SQLite: half a minute
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -k "not postgresql" $(QUICK)

test: setup ## the tests, on SQLite and on PostgreSQL
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

coverage: setup ## the tests, and which branches of inbox they take: TESTS="tests/routing" for a part
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --cov --cov-report=term $(TESTS)

days: setup ## the tests in 1, 13 and 60 months (needs libfaketime): DAYS="396" TESTS="tests/cli"
	for days in $(DAYS); do \
	    $(BIN)/python -m tests.runs.another_day $$days $(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(TESTS) || exit 1; \
	done

sample: setup ## a part of the tests, on SQLite: for another Python, PYTHON=python3.13 VENV=.venv-3.13
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -k "not postgresql" --ignore tests/web/people \
	    $(or $(TESTS),$(SAMPLE))

long: setup $(VENV)/.fuzz ## the tests with the long ones, and fuzzing for twice as long: hours
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "long or not long"
	$(BIN)/python -m tests.fuzz --seconds $$((2 * $(SECONDS)))

mutants: setup ## change need to know in a thousand small ways: its tests must notice each; an hour
	$(BIN)/python -m tests.access.run_mutants

hostile: setup ## thousands of hostile and genuine packages before the reader: minutes
	$(BIN)/pytest -q tests/hostile -m "long or not long"

bench: setup $(VENV)/.bench ## what it costs beside what it could cost: minutes, and 2 GB of disk
	$(BIN)/python -m tests.bench

$(VENV)/.bench: requirements/bench.txt $(VENV)/.complete
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/bench.txt
	touch $@

fuzz: setup $(VENV)/.fuzz ## try to break the readers of packages: SECONDS=600 for each
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

$(VENV)/.fuzz: requirements/fuzz.txt $(VENV)/.complete
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/fuzz.txt
	touch $@

check: setup ## format, lint, spelling, import contracts, types, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/deptry .

format: setup ## put code and pages in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m tests.prose.markdown_wrap

pictures: setup ## take the README's pictures from the demo's own pages (needs Chromium)
	$(BIN)/python -m tests.runs.pictures docs/pictures

texts: setup ## collect what pages say, and put what is new into the catalogues, for somebody to translate
	$(BIN)/pybabel -q extract -F pyproject.toml -k to_translate --no-location --no-wrap --omit-header \
	    --sort-output -o $(VENV)/inbox.pot inbox
	for language in nn en; do \
	    $(BIN)/pybabel -q update -D inbox -l $$language -i $(VENV)/inbox.pot --no-wrap --omit-header \
	        -o inbox/web/people/locale/$$language/inbox.po --no-fuzzy-matching --ignore-obsolete || exit 1; \
	done

lock: ## make requirements/*.txt anew (needs uv), with a week's cooldown
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --exclude-newer "$$(date -u -d '7 days ago' +%F)" -o requirements/runtime.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --exclude-newer "$$(date -u -d '7 days ago' +%F)" -o requirements/dev.txt
	uv pip compile pyproject.toml --group dev --group bench --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --constraint requirements/dev.txt \
	    --exclude-newer "$$(date -u -d '7 days ago' +%F)" -o requirements/bench.txt
	uv pip compile pyproject.toml --group dev --group fuzz --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --constraint requirements/dev.txt \
	    --exclude-newer "$$(date -u -d '7 days ago' +%F)" -o requirements/fuzz.txt

clean: ## remove what setup and the demo made
	rm -rf $(VENV) var

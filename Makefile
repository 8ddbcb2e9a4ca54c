# Everything a person does with this checkout. Needs Python 3.11 or newer and make, nothing else.
#
#   make run                    all of Durum at http://127.0.0.1:8000 (Ctrl-C stops it)
#   make test ARGS="-k budget"  the suite, on a real PostgreSQL and Redis of this checkout
#   make lint                   style, import contracts, migrations, deployment settings, translations, dependencies
#   make bench NAME= SIZE=      measurements against plain baselines        make chaos NAME= SIZE=   kill everything, count doubles
#   make screenshots            the pages, as pictures in docs/             make requirements        resolve the pins again
#   make servers                only PostgreSQL and Redis (make servers-stop ends them)
#   make clean                  delete what this checkout stored            make distclean           and its .venv

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
NAME ?=
SIZE ?=
WORKERS ?= 2

.PHONY: run test lint lint-code lint-contracts lint-django lint-catalogue lint-dependencies bench chaos screenshots \
        requirements servers servers-stop clean distclean setup

run: setup
	@exec $(BIN)/python manage.py up $(ARGS)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: lint-code lint-contracts lint-django lint-catalogue lint-dependencies

lint-code: setup
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

lint-contracts: setup
	$(BIN)/lint-imports --no-logo

# Production's settings with throw-away values, so that what is deployed is what is checked.
lint-django: export DJANGO_SETTINGS_MODULE := durum.settings.production
lint-django: export SECRET_KEY := only-to-check-the-settings-0123456789-abcdefghijklmnopqrstuvwxyz
lint-django: export FIELD_KEYS := AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
lint-django: export ALLOWED_HOSTS := durum.example
lint-django: export SITE_URL := https://durum.example
lint-django: export DATABASE_URL := postgres://nobody@127.0.0.1:1/none
lint-django: export REDIS_URL := redis://127.0.0.1:1/0
lint-django: setup
	$(BIN)/python manage.py check --deploy --fail-level WARNING
	DJANGO_SETTINGS_MODULE=durum.settings.local DATABASE_URL= REDIS_URL= $(BIN)/python -m durum.embedded with \
	  $(BIN)/python manage.py makemigrations --check --dry-run

lint-catalogue: setup
	@if [ -f durum/catalogue.py ]; then $(BIN)/python -m durum.catalogue --check; else echo "No catalogue to check yet."; fi

lint-dependencies: setup
	$(BIN)/deptry .

bench: setup
	$(BIN)/python -m tests.benchmarks $(NAME) $(SIZE)

chaos: setup
	$(BIN)/python -m tests.chaos $(NAME) $(SIZE)

screenshots: setup
	$(BIN)/python -m tests.e2e.screenshots

COMPILE = $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
requirements: setup
	cd requirements && for name in base production dev; do ../$(COMPILE) $$name.in -o $$name.txt || exit 1; done

servers: setup
	@$(BIN)/python -m durum.embedded start

servers-stop: setup
	@$(BIN)/python -m durum.embedded stop

clean:
	@if [ -e .venv/ready ]; then $(BIN)/python -m durum.embedded clean; fi
	rm -rf var staticfiles .pytest_cache .ruff_cache .import_linter_cache .hypothesis

distclean: clean
	rm -rf .venv

setup: .venv/ready

# Done again only when the pins change.
.venv/ready: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Durum needs Python 3.11 or newer, and \"$(PYTHON)\" is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Say which one to use: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { \
	  rm -rf .venv; echo "Python cannot make a virtual environment here (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Installing what Durum needs into .venv (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

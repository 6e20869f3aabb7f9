# The commands of this repository; `make` lists them. Everything is installed below .venv.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# At least two processes, or a test that waits holds up all others; at most eight browsers' worth.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); [ $$n -lt 2 ] && n=2; [ $$n -gt 8 ] && n=8; echo $$n)

COMPILED := $(patsubst %.po,%.mo,$(wildcard translations/*/LC_MESSAGES/*.po))
NODE := $(shell command -v npm)
NODE_MODULES := widget/node_modules/.package-lock.json
PYBABEL := $(BIN)/pybabel --quiet
WRAP := --width 100

.DEFAULT_GOAL := help
.PHONY: help run test soak check widget translations
.DELETE_ON_ERROR:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/installed $(COMPILED) ## serve the five demo sites on http://127.0.0.1:8000 (PORT=... elsewhere)
	@$(BIN)/consent-server demo --port $(PORT)

test: $(VENV)/driven $(COMPILED) ## run every test, real browsers included (ARGS="-k notice" for some)
	$(BIN)/pytest --numprocesses $(JOBS) $(ARGS)

soak: $(VENV)/driven $(COMPILED) ## run the long versions one after another; logs go to docs/soak (hours)
	SOAK_LOGS=docs/soak $(BIN)/pytest -m soak --capture=no $(ARGS)

check: $(VENV)/tested $(COMPILED) $(if $(NODE),$(NODE_MODULES)) ## look for mistakes without running anything: ruff, mypy, tsc
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
ifneq ($(NODE),)
	npm --prefix widget run --silent check
endif

widget: $(NODE_MODULES) ## build static/widget from widget/src (needs Node 20)
	npm --prefix widget run --silent build

translations: $(VENV)/installed ## take new texts into translations/, then compile them
	$(PYBABEL) extract --mapping babel.cfg --omit-header --add-location file $(WRAP) --output translations/messages.pot .
	$(PYBABEL) extract --mapping babel-catalogue.cfg --omit-header --add-location file $(WRAP) --output translations/catalogue.pot .
	for domain in messages catalogue; do \
		$(PYBABEL) update --domain $$domain --input-file translations/$$domain.pot --output-dir translations \
			--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date $(WRAP) || exit; \
	done
	$(PYBABEL) compile --directory translations --domain 'messages catalogue'

# The files below are made once, and again when what they depend on changes.

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml hatch_build.py
	$(PIP) install --editable .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) install --group test
	@touch $@

$(VENV)/driven: $(VENV)/tested tests/install.py
	$(BIN)/python -m tests.install
	@touch $@

%.mo: %.po | $(VENV)/installed
	$(PYBABEL) compile --input-file $< --output-file $@ --locale $(word 2,$(subst /, ,$@))

$(NODE_MODULES): widget/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer is needed, with npm." >&2; exit 1; }
	npm --prefix widget ci
	@touch $@

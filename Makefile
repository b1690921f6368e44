# make report   set up the environment and build the assignment's report on generated images
# make test     set up the environment and run the tests
# make test-quick   the tests of the rooms that you changed, or of ROOM=writing, without the longest
# make bench    time it beside what people would do instead: benchmarks/RESULTS.md
# make preview  show that report in the browser while you write
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# pip compiles one file after another, which takes as long as unpacking them. As with it, a file that is not valid is no error.
COMPILE := -@$(BIN)/python -m compileall -q -j 0 .venv/lib
PANGO := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -q
ROOM ?= $(shell { git diff --name-only --merge-base origin/main; git ls-files --others --exclude-standard; } | sed -nE \
	-e 's!^(report|analysis|tests)/([a-z_]+)/.*!\2!p' -e 's!^analysis/.*!datasets!p' -e 's!^report/.*!commands!p' \
	-e 's!^templates/.*!document writing!p' -e 's!^studies/.*!studies!p' | tr ' ' '\n' | sort -u)

.PHONY: report test test-quick test-all lint format preview bench clean lock
.DELETE_ON_ERROR:

report: .venv/ready
	$(BIN)/report build assignment --sample

test: .venv/ready-dev
	$(PYTEST) -m "not slow"

test-quick: .venv/ready-dev
	@test -n "$(ROOM)" || { echo "Nothing differs from origin/main. Name a room: make test-quick ROOM=writing"; exit 1; }
	$(PYTEST) -m "not slow and not long" $(ROOM:%=tests/%)

test-all: .venv/ready-dev
	$(PYTEST)

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

preview: .venv/ready
	$(BIN)/report preview assignment --sample

bench: .venv/ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf build document .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@echo "kept: .venv (the environment) and .cache (results; trainings take long)"

# The locks are hashed, hold for every platform, and name no index.
lock:
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --python-version 3.11 pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --python-version 3.11 pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=python3.12 report"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --no-compile --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(COMPILE)
	@$(MAKE) --no-print-directory pango
	@touch $@

.venv/ready-dev: requirements-dev.lock .venv/ready
	$(PIP) install --quiet --no-compile --require-hashes -r requirements-dev.lock
	$(COMPILE)
	@touch $@

# WeasyPrint needs the Pango library, which pip cannot install.
.PHONY: pango
pango:
	@$(BIN)/python -c 'import weasyprint' >/dev/null 2>&1 && exit 0; \
	echo "Pango, which sets the PDF's text, is missing: trying to install it"; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt-get -qq update && apt-get -qq install -y --no-install-recommends $(PANGO) >/dev/null; \
	elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then sudo apt-get -qq update && sudo apt-get -qq install -y --no-install-recommends $(PANGO) >/dev/null; \
	elif command -v brew >/dev/null; then brew install pango; fi; \
	$(BIN)/python -c 'import weasyprint' >/dev/null 2>&1 || { \
	echo "Pango could not be installed here. Install it and run make again:"; \
	echo "  Debian, Ubuntu, WSL: sudo apt-get install $(PANGO)"; \
	echo "  Fedora: sudo dnf install pango    Arch: sudo pacman -S pango    macOS: brew install pango"; exit 1; }

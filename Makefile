# Darkroom: `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup run test test-long bench accuracy check format clean

setup: $(STAMP)

$(STAMP): pyproject.toml hatch_build.py web/assets/package-lock.json
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

# What tests need from the system (exiftool as an oracle, jdupes and strace to check against,
# chromium to look at the pages with);
# taken where it may be, otherwise the tests that want it skip with a line that says so.
SYSTEM := libimage-exiftool-perl jdupes strace e2fsprogs chromium
.PHONY: system
system:
	@if command -v exiftool >/dev/null && command -v jdupes >/dev/null && command -v strace >/dev/null && command -v chromium >/dev/null && PATH=$$PATH:/usr/sbin command -v mkfs.ext4 >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM) >/dev/null; \
	else echo "NOTICE: without $(SYSTEM) some tests are skipped; install them to run all." >&2; fi

WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest

# Model files for the tests, in an ignored place; they are fetched once.
MODELS := .venv/models
.PHONY: models
models: setup
	@$(BIN)/darkroom --home .venv models fetch --all --into $(MODELS) \
	|| echo "NOTICE: models are missing; the tests that need them are skipped." >&2

test: setup system models check
	$(PYTEST) -m 'not long' --numprocesses $(WORKERS) --dist worksteal

test-long: setup system models
	$(PYTEST) -m long --timeout 3600

bench: setup system
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m bench

accuracy: setup models
	$(BIN)/python -m bench.accuracy

run: setup
	@$(BIN)/darkroom models fetch \
	|| echo "NOTICE: Darkroom starts without some models; get them later: darkroom models fetch" >&2
	$(BIN)/darkroom serve

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info

# `make demo` runs the whole loop, `make test` checks everything; each sets up its own .venv first.
# Two things at a time: packages of Python and of the system, then tests and types.
MAKEFLAGS += --jobs=2
# A module is compiled when it is first imported, and not again in every process of the tests.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := $(VENV)/extras
PIP := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt
LARGE := ^(cuda|nvidia|torch|triton)

.PHONY: demo test tests types test-extras constraints clean zbar browser

demo: $(STAMP) zbar
	$(BIN)/physadv demo

test: tests types

tests: $(STAMP) zbar browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest -n 2 --dist worksteal -m "not extras"

types: $(STAMP)
	$(BIN)/mypy

# What needs libraries that ask for other versions than the rest; they lie in a folder that nothing else looks into.
test-extras: $(EXTRAS)/.installed
	PYTHONPATH=$(EXTRAS) $(BIN)/pytest -n 0 -m extras tests/attacks/test_libraries.py tests/transforms/test_sweeps.py

# The versions stay where pyproject.toml allows them; `make constraints UPGRADE=--upgrade` takes the newest.
constraints: $(STAMP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-build --no-annotate $(UPGRADE) \
		--custom-compile-command 'make constraints' --output-file constraints.txt \
		--extra foolbox --extra parquet --extra timm --extra video --group dev --group build pyproject.toml

docs/licences.md: docs/licences.py $(STAMP)
	$(BIN)/python docs/licences.py

clean:
	rm -rf $(VENV) demo

# The pinned wheels come first, by two processes, for unpacking them takes longest; then what is asked for finds them.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	grep -E "$(LARGE)" constraints.txt > $(VENV)/large.txt
	grep -vE "$(LARGE)" constraints.txt > $(VENV)/others.txt
	$(PIP) --no-deps --requirement $(VENV)/large.txt & large=$$!; \
		$(PIP) --no-deps --requirement $(VENV)/others.txt && wait $$large
	$(PIP) --build-constraint constraints.txt --editable '.[foolbox,parquet,timm,video]' --group dev
	@touch $@

$(EXTRAS)/.installed: tests/extras.txt $(STAMP)
	$(PIP) --no-deps --upgrade --target $(EXTRAS) --requirement tests/extras.txt
	@touch $@

# Debian's packages, where apt can: with libzbar0 pyzbar takes a second look at codes; tests show pages to a browser.
# Without them everything else works.
APT := apt-get install -y -qq --no-install-recommends
zbar:
	-@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && ! ldconfig -p | grep -q libzbar; then \
		{ $(APT) libzbar0 || { apt-get update -qq && $(APT) libzbar0; }; } >/dev/null 2>&1; fi

browser: zbar
	-@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then \
		{ $(APT) chromium || { apt-get update -qq && $(APT) chromium; }; } >/dev/null 2>&1; fi

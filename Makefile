# `make demo` runs the whole loop, `make test` checks everything; each sets up its own .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test clean

demo: $(STAMP)
	$(BIN)/physadv demo

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist worksteal

clean:
	rm -rf $(VENV) demo

# libzbar0 lets pyzbar take a second look at codes; everything works without it.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	-@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && ! ldconfig -p | grep -q libzbar; then \
		apt-get install -y -qq libzbar0 >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -y -qq libzbar0; } >/dev/null 2>&1; fi
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[timm,video]' --group dev
	@touch $@

# `make run` and `make test` do all set-up by themselves. PYTHON names another Python than python3.
PYTHON ?= python3
.PHONY: help run test bench build-assets clean

help:
	@echo "make run           start Genuflex: sets up what is missing, prints the address; Ctrl-C stops it"
	@echo "make test          set up what is missing and run all tests; ARGS='tests/clinic -x' goes to pytest"
	@echo "make bench         seconds and memory of the body's physics by each route; ARGS=--moco adds MocoInverse"
	@echo "make build-assets  build the browser bundle"
	@echo "make clean         remove what was built; the database in .genuflex stays"

run:
	@exec $(PYTHON) scripts/bootstrap.py run $(ARGS)

test:
	@exec $(PYTHON) scripts/bootstrap.py test $(ARGS)

bench:
	@exec $(PYTHON) scripts/bootstrap.py bench $(ARGS)

build-assets:
	@exec $(PYTHON) scripts/bootstrap.py assets

clean:
	rm -rf static/build .genuflex/staticfiles node_modules .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

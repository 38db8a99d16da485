# `make run` and `make test` do all set-up by themselves. PYTHON names another Python than python3.
PYTHON ?= python3
.PHONY: help run test train bench bench-player bench-video build-assets clean

help:
	@echo "make run           start Genuflex: sets up what is missing, prints the address; Ctrl-C stops it"
	@echo "make test          set up what is missing and run all tests; ARGS='tests/clinic -x' goes to pytest"
	@echo "make train         data, models and cards from raw recordings: DATA=RAW_FOLDER; goes on where it was stopped"
	@echo "make bench         seconds and memory of physics and generation by each route; ARGS=--moco adds MocoInverse"
	@echo "make bench-player  the player's payload, script time and memory in a browser"
	@echo "make bench-video   seconds and memory of a video"
	@echo "make build-assets  build the browser bundle"
	@echo "make clean         remove what was built; the database in .genuflex stays"

run:
	@exec $(PYTHON) scripts/bootstrap.py run $(ARGS)

test:
	@exec $(PYTHON) scripts/bootstrap.py test $(ARGS)

bench:
	@exec $(PYTHON) scripts/bootstrap.py bench $(ARGS)

train:
	@test -n "$(DATA)" || { echo "Say where the raw recordings are: make train DATA=FOLDER (docs/data.md)"; exit 2; }
	@$(PYTHON) scripts/bootstrap.py prepare
	.venv/bin/python manage.py build_motion_data $(DATA)
	.venv/bin/python manage.py train_motion_model --compare
	.venv/bin/python manage.py build_human_range

bench-player:
	@$(PYTHON) scripts/bootstrap.py prepare
	@exec .venv/bin/python -m tests.browser.bench

bench-video:
	@$(PYTHON) scripts/bootstrap.py prepare
	@exec .venv/bin/python -m prescriptions.rendering.bench

build-assets:
	@exec $(PYTHON) scripts/bootstrap.py assets

clean:
	rm -rf static/build .genuflex/staticfiles node_modules .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything an author does.  Needs make and Python 3.11 or later, nothing else.

.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
export TORCH_INDEX CLUSTER WORKERS UPGRADE
export PYTHONPATH := utils
export PYTHONUTF8 := 1
RUN := .venv/bin/python -m coursebuild

.PHONY: help html test screens draft serve books teach notebooks doctest claims mutate bench torches \
  versions sweep doctor lesson lock clean env

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'Variables: PYTHON=python3.12, TORCH_INDEX=https://download.pytorch.org/whl/cpu (Linux: CPU wheels),'
	@echo '  WORKERS=4 (lessons at once), CLUSTER=tcp://scheduler:8786 (a Dask cluster runs them)'

html: env ## build the site into build/html; executes what changed
	@$(RUN) html

test: html ## run every test there is
	@.venv/bin/python tests/chromium.py
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/python -m pytest --numprocesses 4 --dist worksteal

screens: html ## pin how ten pages look, for `make test` to compare; look at each
	@.venv/bin/python tests/screens.py

draft: env ## build into build/draft, fast: nothing is executed
	@$(RUN) draft

serve: env ## show the site on this machine, rebuilt and reloaded on change
	@$(RUN) serve

books: env ## write build/books: the site as a zip, the course as EPUB and PDF
	@$(RUN) books

teach: env ## write build/teach: sheets, notebooks, answers and slides for a course
	@$(RUN) teach

doctest: env ## check what the text states; LESSON=gallery/....py for one, SEED="7 8" for other points, PROCESSOR=oldest
	@$(RUN) doctest $(LESSON)

claims: env ## list the sentences that claim much and that nothing backs
	@$(RUN) claims

mutate: env ## falsify what the text states, to see whether the check notices; LESSON=
	@$(RUN) mutate $(LESSON)

bench: env ## measure, side by side
	@.venv/bin/python -m bench

torches: env ## run torchutils' tests under other releases of torch, 7 GB each; TORCH="2.9.1 2.15.0"
	@.venv/bin/python bench/torches.py $(TORCH)

versions: env ## ask releases of torch what the atlas asks, 7 GB each; TORCH="2.9.1 2.15.0"
	@.venv/bin/python bench/versions.py $(TORCH)

sweep: env ## compare derivatives of torch's own operators; TORCH="2.13.0 2.15.0"
	@.venv/bin/python bench/sweep.py $(TORCH)

doctor: ## say what is wrong with this machine, and what helps
	@command -v $(PYTHON) >/dev/null || { echo 'No $(PYTHON) here. Install Python 3.11 or later, or name yours: make PYTHON=...'; exit 1; }
	@$(PYTHON) -m coursebuild.commands.doctor

lesson: env ## start a lesson from the template: LESSON=gallery/1_foundations/30_name.py
	@$(RUN) lesson $(LESSON)

notebooks: html ## write what Colab and Binder open into build/notebooks
	@$(RUN) notebooks

lock: env ## add to requirements.lock what pyproject.toml asks for; UPGRADE=1: the newest
	@$(RUN) lock

clean: ## remove everything that was generated, the environment too
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

env:
	@command -v $(PYTHON) >/dev/null || { echo 'No $(PYTHON) here. Install Python 3.11 or later, or name yours: make PYTHON=...'; exit 1; }
	@$(PYTHON) -u -m coursebuild.commands.bootstrap

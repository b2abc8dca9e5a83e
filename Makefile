# Two commands matter: `make lab` and `make test`. Each makes .venv and installs what it needs.
.DEFAULT_GOAL := help
.PHONY: help lab test check notebooks bench constraints clean
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE  # many processes read the same few files: each would compile them anew

PYTHON ?= $(shell .ci/python)
py := .venv/bin/python
pip_install := $(py) -m pip install --quiet --disable-pip-version-check -c constraints.txt
# In front of a command: the programs of a real PostgreSQL, found or installed once, before any test runs.
on_postgres := postgres=$$(.ci/postgres) && ANYFAST_TEST_POSTGRES="$$postgres"
described := pyproject.toml constraints.txt anyfast_nb/_version.py

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make lab LAB_ARGS="--no-browser --port 8899"   passes flags on to JupyterLab'
	@echo '  make lab LIVE=1                                uses your key instead of the built-in AnyFast'
	@echo '  make lab PYTHON=/path/to/python3.12            builds .venv with this Python'

lab: .venv/.lab ## open JupyterLab on the quickstart; needs no key
	@.ci/lab $(LAB_ARGS)

test: .venv/bin/python ## run every test; what depends on Python, also on the newest other Python found here
	@$(MAKE) -j2 .venv/.test .venv-other
	@$(MAKE) check
	@$(on_postgres) .ci/other
	@$(on_postgres) $(py) -m pytest -q -n 3 --dist worksteal -m "not browser and not project" --ignore tests/test_architecture.py
	@chromium=$$(.ci/chromium) && $(on_postgres) ANYFAST_TEST_CHROMIUM="$$chromium" \
	  $(py) -m pytest -n 3 --dist loadfile -m "browser or project"

check: .venv/.test ## lint, format, types, architecture: seconds
	@$(py) -m ruff check
	@$(py) -m ruff format --check
	@$(py) -m mypy
	@$(py) -m pytest -q tests/test_architecture.py

notebooks: .venv/.test ## run the notebooks and store their outputs
	@$(on_postgres) $(py) -m tests.notebooks.running

bench: .venv/.test ## run the benchmarks, one after another
	@chromium=$$(.ci/chromium) && for file in $$(grep -l __main__ tests/benchmarks/*.py); do \
	  echo "== $$file" && ANYFAST_TEST_CHROMIUM="$$chromium" $(py) "$$file" || exit 1; done

constraints: .venv/.test ## pin the newest versions that work together, for review
	@.ci/constraints

clean: ## remove what these commands made
	rm -rf .venv .venv-* build dist artifacts .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find anyfast_nb tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@python="$(PYTHON)"; test -n "$$python" && .ci/venv .venv "$$python"

.venv/.lab: .venv/bin/python $(described)
	@echo "Installing anyfast-nb and JupyterLab"
	@$(pip_install) -e '.[lab,postgres]'
	@touch $@

.PHONY: .venv-other
.venv-other: .venv/bin/python
	@.ci/other install

.venv/.test: .venv/bin/python $(described)
	@echo "Installing anyfast-nb, JupyterLab and what the tests need"
	@$(pip_install) -e '.[lab,postgres]' --group dev
	@touch $@ .venv/.lab

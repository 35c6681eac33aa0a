# Needs Python 3.11 to 3.13 and make; brings the rest (Node included) into $(VENV).
#
#   make demo             install and open the quickstart in JupyterLab
#   make demo HEADLESS=1  execute it instead, and write build/quickstart.html, which needs no network
#   make demo NOTEBOOK=notebooks/02_which_map_to_believe.ipynb    the same with the lesson
#   make test             everything: lint, types, front end, all tests in a real browser too
#   make fast             the tests that need neither a browser nor patience
#   make lint             formatting, lint and types, Python and front end
#   make format strip     format the Python code; strip outputs from the notebooks
#   make clean            remove what was built, $(VENV) included

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check -qq -c constraints.txt
NOTEBOOK := notebooks/01_quickstart.ipynb
PAGE = build/$(shell basename $(NOTEBOOK) .ipynb | cut -d_ -f2-).html

# Whatever an installation is made from, and a bundle that has gone. Not the Python code: the installation is editable.
INSTALLED_FROM := pyproject.toml constraints.txt hatch_build.py $(shell find js -name node_modules -prune -o -name test -prune -o -type f -print)
INSTALLED_FROM += $(if $(wildcard xai_widgets/static/*.js),,no-bundle)

# What two of the three processes that test at once take, by time: half of the browser's tests, and a part of the others.
HALF := $(foreach name,explore hosts offline_page recorded saliency shap ten,tests/browser/test_$(name).py)
PART := tests/metrics tests/widgets $(wildcard tests/test_*.py)

.PHONY: demo test fast lint format strip clean chromium no-bundle
.DEFAULT_GOAL := demo

ifdef HEADLESS
demo: $(VENV)/demo.stamp
	@$(PY) -m xai_widgets.pages $(NOTEBOOK) $(PAGE)
else
demo: $(VENV)/demo.stamp
	@$(PY) -m jupyterlab --log-level=WARN $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)
endif

test: $(VENV)/test.stamp chromium lint
	@echo "== front end: tests"
	@$(PY) hatch_build.py test
	@echo "== pytest, in three processes"
	@mkdir -p build; $(PY) -m pytest -m browser $(HALF) >build/tests-1.log 2>&1 & first=$$!; \
	( $(PY) -m pytest -m browser tests/browser $(HALF:%=--ignore=%); status=$$?; \
	$(PY) -m pytest -m "not browser" $(PART) && exit $$status ) >build/tests-2.log 2>&1 & second=$$!; \
	$(PY) -m pytest -m "not browser" $(PART:%=--ignore=%); status=$$?; \
	wait $$first || status=1; wait $$second || status=1; cat build/tests-*.log; exit $$status

fast: $(VENV)/test.stamp
	@$(PY) -m pytest -m "not browser and not slow"

lint: $(VENV)/test.stamp
	@echo "== ruff"
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet
	@echo "== mypy"
	@$(PY) -m mypy
	@echo "== front end: types, lint"
	@$(PY) hatch_build.py typecheck lint

format: $(VENV)/test.stamp
	@$(PY) -m ruff check --fix --exit-zero --quiet
	@$(PY) -m ruff format

strip: $(VENV)/test.stamp
	@$(PY) -m nbstripout notebooks/*.ipynb

chromium: $(VENV)/test.stamp
	@echo "== chromium"
	@$(PY) tests/browser/chromium.py

clean:
	rm -rf $(VENV) build dist xai_widgets/static js/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis

# JupyterLab forgets widgets when it saves a notebook, unless told not to. These are defaults of the JupyterLab in
# $(VENV) alone, below anyone's own settings.
LAB_DEFAULTS := {"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": true}, \
	"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}

$(VENV)/demo.stamp: $(INSTALLED_FROM) | $(PY)
	@echo "== installing into $(VENV) (the first time TensorFlow comes with it: 600 MB, some minutes)"
	@$(PIP) -e '.[demo]'
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@echo '$(LAB_DEFAULTS)' > $(VENV)/share/jupyter/lab/settings/overrides.json
	@touch $@

$(VENV)/test.stamp: $(VENV)/demo.stamp
	@echo "== installing what the tests need"
	@$(PIP) -e '.[test]'
	@touch $@

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) and "This is Python " + \
	sys.version.split()[0] + "; TensorFlow needs 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

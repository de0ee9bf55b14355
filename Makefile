# make app     open the explorer in a browser; HOST=0.0.0.0 opens it to other machines as well
# make test    linters, types and every test (unit, pages, real browser)
# make lint    linters and types only;  make format  mends the layout
# make test-cluster   launchers and trackers: installs Ray, submitit, Optuna, TensorBoard, W&B, MLflow
# make bench   ratios against named baselines
# make clean   remove what the other targets made
#
# Each target sets up what it needs. The marker files make a second call instant.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8501
WORKERS ?= 2
RERUNS ?= 0
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
# make CONSTRAINTS= app takes the newest versions in range instead of the tested ones.
CONSTRAINTS ?= constraints.txt
LIMIT := $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
INSTALL = $(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check)

.PHONY: app test test-cluster lint format types unit browser bench clean

app: $(VENV)/.app
	$(BIN)/python -m streamlit run app.py --server.address $(HOST) --server.port $(PORT)

test: lint unit browser

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One thread a worker: two workers on two cores are faster than two threads in one.
unit: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests --ignore=tests/browser --ignore=tests/cluster -n $(WORKERS) --dist worksteal -q --reruns $(RERUNS) -rR

# RERUNS=1 gives a test that failed a second try, and names it. By hand a failure is a failure.
browser: $(VENV)/.dev $(VENV)/.chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser -n $(WORKERS) --dist worksteal -q --reruns $(RERUNS) -rR

# One at a time: a Ray head of two processors is among the parts.
test-cluster: $(VENV)/.cluster
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/cluster -q --reruns $(RERUNS) -rR

bench: $(VENV)/.dev
	@for name in rerun pages epoch class_images latency dcgan pixelcnn rbm plane; do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("genlib needs Python 3.11 or newer; set PYTHON=python3.12, say" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# A pip that is there and does what we ask needs no newer one.
$(VENV)/.app: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) $(LIMIT) -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) $(LIMIT) -e '.[dev]'
	@touch $(VENV)/.app $@

$(VENV)/.cluster: $(VENV)/.dev
	$(INSTALL) $(LIMIT) -e '.[dev,cluster]'
	@touch $@

$(VENV)/.chromium: .ci/chromium $(VENV)/.dev
	.ci/chromium $(BIN)/python
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

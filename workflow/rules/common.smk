# What the other rules files share: the checked config, its slices, and the functions that name inputs.
# REQUIRED: config; the config files are read once more, strictly, because a name that occurs twice is lost in it.
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from sqladder.experiment import config as checks
from sqladder.experiment import context_jobs, data_jobs, paths, reading, variants
from sqladder.experiment.console import ShortInputs
from sqladder.databases.engine import is_foreign
from sqladder.errors import InputError
from sqladder.experiment.modules import imported_modules
from sqladder.processes.run_lock import take_lock
from sqladder.processes.lifetime import OWNER_VARIABLE, this_process

# Jobs inherit it: a training job ends when the Snakemake that started it was killed.
os.environ[OWNER_VARIABLE] = this_process()

try:
    for path in workflow.configfiles:
        reading.read_yaml(Path(path))
    checks.check(
        config, reading.read_yaml(SCRIPTS.parent / "schemas" / "config.schema.yaml")
    )
except InputError as error:
    raise WorkflowError(str(error)) from error

logger.addFilter(ShortInputs(Path("workflow/scripts/sqladder")))

# A replicate is a variant with one of its seeds; its name is its folder below results/.
REPLICATES = {part.name: part for part in variants.replicates(config)}


def replicates_by_method(*methods):
    """Name the replicates of the variants whose method is one of `methods`, in the config's order."""
    named = variants.variants_by_method(config, frozenset(methods))
    return [name for name, part in REPLICATES.items() if part.variant in named]


IMPORTED = replicates_by_method("imported")
GENERATED = [name for name in REPLICATES if name not in IMPORTED]
TRAINED = replicates_by_method(*variants.TRAINED)
SEVERAL_SEEDS = [
    variant
    for variant in config["variants"]
    if len(variants.seeds_of(config, variant)) > 1
]


def replicates_of(wildcards):
    """Name the replicates of one variant."""
    return [
        name for name, part in REPLICATES.items() if part.variant == wildcards.variant
    ]


def seed_files(name):
    """Give the input function for a file of each of a variant's replicates."""

    def files(wildcards):
        return collect(
            f"results/{{replicate}}/{name}", replicate=replicates_of(wildcards)
        )

    return files


DEMO_DATASETS = data_jobs.datasets_by_source(config, "demo")
FILE_DATASETS = data_jobs.datasets_by_source(config, "files")
# Training rows that bring their schemas with them have no databases.
ROW_DATASETS = [
    name for name in FILE_DATASETS if "databases" not in config["datasets"][name]
]
PAIRED_DATASETS = [name for name in FILE_DATASETS if name not in ROW_DATASETS]
SPLIT_DATASETS = [name for name in FILE_DATASETS if "split" in config["datasets"][name]]
DOWNLOADS = config.get("downloads", {})
DEMO_SPLITS = ["pretrain", "train", "validation", "test"]
DEMO_SCHEMAS = sorted(map(str, Path("resources/demo/schemas").glob("*.sql")))


def any_of(names):
    """Give the pattern that matches one of the names, or nothing where there is none."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    replicate=any_of(REPLICATES),
    variant=any_of(SEVERAL_SEEDS),
    context=any_of(config["contexts"]),
    dataset=any_of(config["datasets"]),
    download=any_of(DOWNLOADS),
    split="pretrain|train|test",
    cutoff=r"\d+",
    over="drop|cut|stop",


onstart:
    # Not in a dry run. The handle stays open, and with it the lock, until this process ends.
    run_lock = take_lock(Path(".snakemake/run.lock"))


if workflow.remote_exec:
    # The scheduler of a cluster gave this job GPUs of its own: lease_gpus.py, which inherits this, takes them as they are.
    os.environ.update(SQLADDER_GPUS_ASSIGNED="1")


def modules_of(*programs):
    """Name the package's modules that programs import: an edit re-runs the rules that use it, and no other."""
    files = {path for name in programs for path in imported_modules(SCRIPTS / name)}
    return sorted(str(path.relative_to(workflow.basedir)) for path in files)


def as_flags(settings):
    """Write settings as flags: {"rank": 32} gives --rank=32; a list gives its values after the name."""
    flags = []
    for key, value in settings.items():
        name = f"--{key.replace('_', '-')}"
        flags += (
            [name, *map(str, value)] if isinstance(value, list) else [f"{name}={value}"]
        )
    return flags


def own_entry(wildcards):
    """Give the config's entry of the variant that a replicate belongs to."""
    return config["variants"][REPLICATES[wildcards.replicate].variant]


def own_setting(wildcards, key):
    """Give what holds for one replicate: its variant's own entry, or else the experiment's."""
    return variants.setting(config, REPLICATES[wildcards.replicate].variant, key)


def own_seed(wildcards):
    """Give the seed of one replicate: that of its folder, or the only one of its variant."""
    variant, seed = REPLICATES[wildcards.replicate]
    return variants.seeds_of(config, variant)[0] if seed is None else seed


# Data sets


def dataset_of(split):
    """Name the data set that a split comes from."""
    names = {
        "pretrain": config["base_model"].get("pretrain_on"),
        "train": config["train_on"],
        "test": config["test_on"],
    }
    return names[split]


def examples_of(split):
    """Name the file of a split's examples; training, and few-shot examples, use what decontamination leaves."""
    if split == "train" and "decontamination" in config:
        return "resources/decontaminated/train.jsonl"
    return imported_examples_of(split)


def imported_examples_of(split):
    """Name the file of a split's examples: one for each part, or one for all where the data set is not split."""
    dataset = dataset_of(split)
    part = config.get("test_split", "test") if split == "test" else split
    name = part if dataset in DEMO_DATASETS + SPLIT_DATASETS else "examples"
    return f"resources/datasets/{dataset}/{name}.jsonl"


def databases_of(split):
    """Name the folder with the databases of a split; rows that bring their schemas with them have none."""
    dataset = dataset_of(split)
    return [] if dataset in ROW_DATASETS else f"resources/datasets/{dataset}/databases"


def imported_questions():
    """Name the file with every question of the test's data set, in the order of its source."""
    dataset = config["test_on"]
    return (
        f"resources/datasets/{dataset}/questions.jsonl"
        if dataset in FILE_DATASETS
        else examples_of("test")
    )


def asked_questions():
    """Name the file with every question that was to be asked, those that were left out among them."""
    is_split = config["test_on"] in SPLIT_DATASETS
    return examples_of("test") if is_split else imported_questions()


def number_of_variations(wildcards):
    return config["datasets"][wildcards.dataset]["variations"]


def dataset_file(key):
    """Give the input function for what a data set's entry names: a file, the download that it lies in, or nothing."""

    def needed_file(wildcards):
        entry = config["datasets"][wildcards.dataset]
        return paths.needed_file(entry[key]) if key in entry else []

    return needed_file


def dataset_path(key):
    """Give the params function for the path or URL that a data set's entry names."""

    def path(wildcards):
        return paths.input_path(config["datasets"][wildcards.dataset][key])

    return path


def reading_flags(wildcards):
    """Say how a data set's questions are read."""
    entry = config["datasets"][wildcards.dataset]
    flags = as_flags({"format": entry.get("format", "jsonl")})
    if "columns" in entry:
        flags.append(f"--columns={json.dumps(entry['columns'])}")
    if entry.get("incomplete_rows") == "drop":
        flags.append("--drop-incomplete-rows")
    return flags


def import_flags(wildcards):
    entry = config["datasets"][wildcards.dataset]
    flags = reading_flags(wildcards)
    if "gold" in entry:
        flags.append(f"--gold={paths.input_path(entry['gold'])}")
    if entry.get("allow_missing_databases"):
        flags.append("--allow-missing-databases")
    return flags


def gold_flags(wildcards):
    """Say what is done with gold that has a problem, under which limits, and what the databases are copies of."""
    entry = config["datasets"][wildcards.dataset]
    keep_all = {"failing": "keep", "empty": "keep", "slow": "keep"}
    scoring = config["scoring"]
    limits = {key: scoring[key] for key in ("max_vm_steps", "timeout", "memory_mb")}
    source = paths.input_path(entry["databases"])
    original = {"original": source} if is_foreign(source) else {}
    listed = entry.get("gold_repairs")
    repairs = {"repairs": paths.input_path(listed)} if listed else {}
    return as_flags(
        {**entry.get("gold_problems", keep_all), **limits, **original, **repairs}
    )


def split_flags(wildcards):
    return as_flags(
        {
            **config["datasets"][wildcards.dataset]["split"],
            "seed": variants.first_seed(config),
        }
    )


def decontamination_flags():
    folder = databases_of("train")
    databases = {"databases": folder} if folder else {}
    return as_flags({**config.get("decontamination", {}), **databases})


def local_download(wildcards):
    """Name the local folder that a download is taken from, if its entry names one."""
    entry = DOWNLOADS[wildcards.download]
    return paths.input_path(entry["folder"]) if "folder" in entry else []


def download_flags(wildcards):
    entry = dict(DOWNLOADS[wildcards.download])
    del entry["source"]
    if "folder" in entry:
        entry["folder"] = paths.input_path(entry["folder"])
    return as_flags(entry)


# Contexts


def prompt_examples(wildcards):
    return examples_of(wildcards.split)


def prompt_databases(wildcards):
    return databases_of(wildcards.split)


def prompt_references(wildcards):
    """Name the file with the few-shot examples of a split's questions; most contexts have none."""
    if "examples" not in config["contexts"][wildcards.context]:
        return []
    return f"resources/retrieval/{wildcards.context}/{wildcards.split}.jsonl"


def prompt_tables(wildcards):
    """Name Spider's file of column names, if the context describes columns by it."""
    described = config["contexts"][wildcards.context].get("descriptions", {})
    return paths.needed_file(described["tables"]) if "tables" in described else []


def prompt_flags(wildcards):
    flags = context_jobs.context_flags(config["contexts"][wildcards.context])
    files = {
        "databases": prompt_databases(wildcards),
        "references": prompt_references(wildcards),
    }
    flags += as_flags({name: path for name, path in files.items() if path})
    return flags if wildcards.split == "test" else [*flags, "--with-answer"]


def example_settings(context):
    return config["contexts"][context].get("examples", {})


def is_embedded(context):
    """Tell whether a context's examples are found by their embeddings."""
    return "embedding" in example_settings(context)


EXAMPLE_CONTEXTS = list(filter(example_settings, config["contexts"]))
EMBEDDED_CONTEXTS = list(filter(is_embedded, config["contexts"]))


def masking_databases(split):
    """Give the input function for a split's databases, which only masked questions are compared by."""

    def databases(wildcards):
        masked = example_settings(wildcards.context).get("by") == "masked_question"
        return databases_of(split or wildcards.split) if masked else []

    return databases


def examples_index(wildcards):
    return (
        f"resources/retrieval/{wildcards.context}/index"
        if is_embedded(wildcards.context)
        else []
    )


def index_flags(wildcards):
    settings = example_settings(wildcards.context)
    named = ("model", "uri")
    embedding = settings["embedding"]
    found = {
        key: paths.input_path(embedding[key]) for key in named if key in embedding
    }
    flags = {"by": settings["by"], **found}
    if pool_databases := masking_databases("train")(wildcards):
        flags["pool_databases"] = pool_databases
    return as_flags({**flags, "collection": f"sqladder_{wildcards.context}"})


def retrieval_flags(wildcards):
    flags = context_jobs.retrieval_flags(example_settings(wildcards.context))
    files = {
        "index": examples_index(wildcards),
        "databases": masking_databases(None)(wildcards),
        "pool_databases": masking_databases("train")(wildcards),
    }
    named = {name: path for name, path in files.items() if path}
    return as_flags({**flags, **named, "seed": variants.first_seed(config)})


def retrieval_gpus(wildcards):
    return int(is_embedded(wildcards.context))


# Models and predictions


def base_model():
    """Name the folder of the base model: made by this workflow, or given."""
    base = config["base_model"]
    return (
        "resources/base_model"
        if base["source"] == "toy"
        else paths.needed_file(base["path"])
    )


def pretraining_prompts(wildcards):
    return f"resources/prompts/{config['base_model']['context']}/pretrain.jsonl"


def toy_base_flags(wildcards):
    toy = {
        key: value
        for key, value in config["base_model"].items()
        if key not in ("source", "pretrain_on", "context")
    }
    return as_flags({**toy, "seed": variants.first_seed(config)})


def training_prompts(wildcards):
    """Name the prompts that a variant is trained on; the untrained baseline has none."""
    if wildcards.replicate not in TRAINED:
        return []
    context = own_setting(wildcards, "context")
    settings = own_setting(wildcards, "training")
    fitted = f"{settings['cutoff_length']}.{settings['over_cutoff']}"
    return f"resources/prompts/{context}/train.{fitted}.jsonl"


def user_template(wildcards):
    return config["contexts"][wildcards.context]["user"]


def training_flags(wildcards):
    """Write a variant's method with what it needs; the untrained baseline needs nothing."""
    # Without `input` as an argument: Snakemake does not compare params that were computed from it, and a changed
    # setting would train nothing.
    variant = dict(own_entry(wildcards))
    for key in ("training", "parallelism", "decoding", "context", "seed", "seeds"):
        variant.pop(key, None)
    if wildcards.replicate not in TRAINED:
        return as_flags(variant)
    settings = dict(own_setting(wildcards, "training"))
    # The prompts have been fitted to the cutoff by now.
    del settings["over_cutoff"]
    plan = dict(variants.parallelism(config, REPLICATES[wildcards.replicate].variant))
    spread = {"parallelism": plan.pop("method"), **plan}
    seed = own_seed(wildcards)
    return as_flags(
        {
            **variant,
            **settings,
            **spread,
            "seed": seed,
            "data": training_prompts(wildcards),
        }
    )


def training_plan(wildcards):
    """Say how a training is spread over GPUs and nodes: the untrained baseline only copies files."""
    if wildcards.replicate not in TRAINED:
        return {"gpus": 0}
    return variants.parallelism(config, REPLICATES[wildcards.replicate].variant)


def training_nodes(wildcards):
    return training_plan(wildcards).get("nodes", 1)


def training_gpus(wildcards):
    """Count the GPUs of a training, all nodes together."""
    gpus_of_a_node = training_plan(wildcards).get("gpus", 1)
    return within_gpu_limit(gpus_of_a_node * training_nodes(wildcards))


def training_tasks(wildcards):
    """Count the tasks of a training on several nodes, one each. Others have no such resource: None."""
    nodes = training_nodes(wildcards)
    return nodes if nodes > 1 else None


def training_starter(wildcards):
    """Tell Snakemake's SLURM plugin that the job of several nodes starts its tasks itself, by srun."""
    return "srun" if training_nodes(wildcards) > 1 else None


def training_environment(wildcards):
    """Name the conda environment of a training: Megatron's packages are for a training by Megatron only."""
    trained = wildcards.replicate in TRAINED
    plan = variants.parallelism(config, REPLICATES[wildcards.replicate].variant)
    return f"../envs/{'megatron' if trained and plan['method'] == 'megatron' else 'train'}.yaml"


def within_gpu_limit(count):
    """Refuse a job that needs more GPUs than the run may use: Snakemake would give it fewer, and say nothing."""
    limit = workflow.global_resources.get("gpu")
    if limit is not None and limit.value is not None and count > limit.value:
        raise WorkflowError(
            f"a job needs {count} GPUs, but this run may use {limit.value}: "
            f"raise the limit (--resources gpu={count}, or resources: gpu in the profile), "
            "or give the job fewer in the config"
        )
    return count


def test_prompts(wildcards):
    return f"resources/prompts/{own_setting(wildcards, 'context')}/test.jsonl"


def decoding_flags(wildcards):
    decoding = {**own_setting(wildcards, "decoding"), "seed": own_seed(wildcards)}
    # How many GPUs share the work changes no answer, so it is a resource and makes nothing anew.
    decoding.pop("gpus", None)
    return as_flags(decoding)


def generation_gpus(wildcards):
    return within_gpu_limit(own_setting(wildcards, "decoding").get("gpus", 1))


def generation_environment(wildcards):
    """Name the conda environment of a variant's engine."""
    engine = own_setting(wildcards, "decoding")["engine"]
    return f"../envs/{'vllm' if engine == 'vllm' else 'generate'}.yaml"


def imported_file(wildcards):
    return paths.input_path(own_entry(wildcards)["predictions"])


# The report


def results_of_all_variants():
    """Name what every variant leaves for the report; an imported one was neither trained nor generated here."""
    return {
        "verdicts": collect("results/{replicate}/verdicts.jsonl", replicate=REPLICATES),
        "metrics": collect("results/{replicate}/metrics.json", replicate=REPLICATES),
        "predictions": collect(
            "results/{replicate}/predictions.jsonl", replicate=REPLICATES
        ),
        "training": collect("results/{replicate}/train.json", replicate=GENERATED),
        "generation": collect(
            "results/{replicate}/generation.json", replicate=GENERATED
        ),
    }


def merged_config(wildcards):
    # A function, because braces in a plain text would be taken for wildcards.
    return json.dumps(config)


def files_that_made_the_run():
    """Name the files whose checksums say which data made the run."""
    imported = [
        paths.input_path(config["variants"][name]["predictions"])
        for name in IMPORTED
    ]
    training = [examples_of("train")] if TRAINED else []
    base = [base_model()] if GENERATED else []
    return [examples_of("test"), databases_of("test"), *training, *base, *imported]


def benchmarks_of_the_run():
    """Name Snakemake's measurements of the jobs that take time."""
    toy_base = (
        ["results/benchmarks/train_base.tsv"]
        if config["base_model"]["source"] == "toy" and GENERATED
        else []
    )
    return [
        *toy_base,
        *collect(
            "results/benchmarks/{stage}/{replicate}.tsv",
            stage=["train", "generate"],
            replicate=GENERATED,
        ),
        *collect("results/benchmarks/score/{replicate}.tsv", replicate=REPLICATES),
    ]


def baseline_flag():
    """Compare with the untrained variant, where there is one."""
    untrained = variants.variants_by_method(config, frozenset({"none"}))
    return as_flags({"baseline": untrained[0]}) if untrained else []


def marked_questions():
    """Name the file that marks the test's questions clean or suspect, if the config asks for decontamination."""
    is_marked = "decontamination" in config and TRAINED
    return "resources/decontaminated/test_marks.jsonl" if is_marked else []


def checked_gold():
    """Name the file that says what became of each gold query of the test, where they were checked."""
    dataset = config["test_on"]
    is_checked = dataset in PAIRED_DATASETS
    return f"resources/datasets/{dataset}/gold.jsonl" if is_checked else []


def published_file():
    """Name the file with the published table that the run is compared with, if the config names one."""
    return config["published"]["table"] if "published" in config else []


def report_flags():
    title = as_flags({"title": config["title"]})
    is_toy = config["base_model"]["source"] == "toy" and GENERATED
    files = {
        "marks": marked_questions(),
        "gold_checks": checked_gold(),
        "published": published_file(),
    }
    named = as_flags({name: path for name, path in files.items() if path})
    rows = config.get("published", {"rows": {}})["rows"]
    for variant, row in rows.items():
        named += ["--published-row", variant, row]
    return [
        *title,
        *baseline_flag(),
        *named,
        *(["--demonstration"] if is_toy else []),
    ]

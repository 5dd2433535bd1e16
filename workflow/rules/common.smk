# What the other rules files share: the checked config, and how functions of it become input functions.
# REQUIRED: config; the config files are read once more, strictly, because a name that occurs twice is lost in it.
# What a job gets is said by plain functions of the config, in workflow/scripts/sqladder/experiment/<stage>_jobs.py.
import os
import sys
import tarfile
import tempfile
from pathlib import Path

import git
from snakemake.exceptions import WorkflowError


def project_folder():
    """The folder of the workflow's files: a clone, an installed package, or what a module's repository holds."""
    here = workflow.current_basedir
    if not hasattr(here, "ref"):
        return Path(here.get_path_or_uri(secret_free=False)).parents[1]
    # A repository that Snakemake reads file by file, but programs need their package beside them.
    is_hosted = hasattr(here, "hosted_repo")
    repository = here.hosted_repo.repo if is_hosted else git.Repo(here.repo_path)
    commit = repository.commit(here.ref)
    folder = Path(".snakemake/sqladder").absolute() / commit.hexsha
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            with tempfile.TemporaryFile() as archive:
                repository.archive(archive, commit.hexsha)
                archive.seek(0)
                with tarfile.open(fileobj=archive) as files:
                    files.extractall(Path(made) / "whole", filter="data")
            # All of it or nothing.
            try:
                (Path(made) / "whole").rename(folder)
            except OSError:
                # Another process was faster.
                if not folder.is_dir():
                    raise
    return folder


PROJECT = project_folder()
SCRIPTS = PROJECT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Where the jobs find their programs. No path is part of a rule, which would run again where the workflow lies elsewhere.
os.environ.update(SQLADDER_SCRIPTS=str(SCRIPTS))

from sqladder.errors import InputError
from sqladder.experiment import (
    asking_jobs,
    config as checks,
    context_jobs,
    curve_points,
    data_jobs,
    generation_jobs,
    halved_sweeps,
    learning,
    mixes,
    native_jobs,
    reinforced,
    report_jobs,
    run_errors,
    run_screen,
    sweep_progress,
    sweeps,
    tracking_jobs,
    training_jobs,
    trainings,
    variants,
)
from sqladder.experiment.code_digests import code_digests
from sqladder.experiment.flags import as_flags
from sqladder.experiment.packages import check_packages
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.wildcards import any_of, input_function
from sqladder.processes.lifetime import OWNER_VARIABLE, this_process
from sqladder.processes.run_lock import take_lock

# Jobs inherit it: a training job ends when the Snakemake that started it was killed.
os.environ[OWNER_VARIABLE] = this_process()

if workflow.is_main_process:
    run_errors.watch(logger)

try:
    run_errors.check_profile(sys.argv, (Path.cwd(), PROJECT))
    for path in workflow.configfiles:
        read_yaml(Path(path))
    checks.check(config)
    config.update(mixes.with_mix(config))
    # One of each rule's params: its jobs run again when the code that they use has changed. No code is an input, since
    # Snakemake would compare comments and times with it.
    CODE = code_digests(SCRIPTS, Path(".snakemake/code.json"))
    run_errors.check_limits(
        {
            "--cores": workflow.resource_settings.cores,
            "--jobs": workflow.resource_settings.nodes,
        }
    )
except InputError as error:
    raise WorkflowError(str(error)) from error

if not workflow.remote_exec:
    for line in data_jobs.moving_revisions(config):
        logger.warning(line)

# A job that fetches inherits its URL: in its command, everybody would read the password.
os.environ.update(data_jobs.secret_urls(config))

REPLICATES = list(variants.replicates(config))
JUDGED_NATIVELY = native_jobs.judged_natively(config)
WITH_MODEL = variants.with_model(config)
TRAININGS = trainings.with_trainings(config)
GENERATED = variants.generated(config)
TRAINED = variants.trained(config)
SEVERAL_SEEDS = variants.with_several_seeds(config)
# In a clone as it has always been named: another name of an input is another input.
DEMO_FOLDER = Path() if PROJECT.samefile(Path.cwd()) else PROJECT
DEMO_SCHEMAS = sorted(map(str, DEMO_FOLDER.glob("resources/demo/schemas/*.sql")))


wildcard_constraints:
    replicate=any_of(REPLICATES),
    variant=any_of(SEVERAL_SEEDS),
    context=any_of(config["contexts"]),
    dataset=any_of(config["datasets"]),
    download=any_of(data_jobs.downloads(config)),
    split=any_of(data_jobs.splits(config)),
    drawing=any_of(learning.drawings(config)),
    cutoff=r"\d+",
    over="drop|cut|stop",


# Open, and with it locked, until this process ends: a local name of onstart would be closed at once.
HELD_OPEN = []
# What sends measurements to trackers while trainings are under way, where some are wanted.
FOLLOWERS = []


onstart:
    # Not in a dry run.
    try:
        HELD_OPEN.append(take_lock(Path(".snakemake/run.lock")))
        native_jobs.check_role(config)
        if not workflow.deployment_settings.deployment_method:
            check_packages(TRAININGS, needed_jobs())
            tracking_jobs.check_trackers(config)
    except InputError as error:
        raise WorkflowError(str(error)) from error
    if HAS_SCREEN:
        jobs = len(list(workflow.dag.needrun_jobs()))
        run_screen.attach(logger, jobs, sweep_progress.sweeps_of_run(config))
    FOLLOWERS.append(tracking_jobs.start_follower(config, SCRIPTS))


onsuccess:
    run_screen.detach(logger)
    end_tracking()
    if any(job.rule.name == "write_report" for job in workflow.dag.jobs):
        print(run_screen.last_screen(Path("results/report.md")))


onerror:
    run_screen.detach(logger)
    end_tracking()


# `--quiet host reason`, as `make report` has it: a line for each job instead of Snakemake's paragraphs.
QUIET = {about.name for about in workflow.output_settings.quiet or ()}
HAS_SCREEN = QUIET == {"HOST", "REASON"} and not workflow.dryrun
if HAS_SCREEN:
    run_screen.quieten(logger)

if workflow.remote_exec:
    # The scheduler of a cluster gave this job GPUs of its own: lease_gpus.py, which inherits this, takes them as they
    # are.
    os.environ.update(SQLADDER_GPUS_ASSIGNED="1")


def needed_jobs():
    """Rule and replicate of the jobs of this run that have one."""
    return [
        (job.rule.name, job.wildcards.replicate)
        for job in workflow.dag.needrun_jobs()
        if "replicate" in job.wildcards.keys()
    ]


def end_tracking():
    """End what follows trainings, and say what trackers did not take."""
    for follower in filter(None, FOLLOWERS):
        follower.end()
    for line in tracking_jobs.unsent(config):
        logger.warning(line)


def by_wildcards(function, settings=config, **given):
    """The input function of a function of the config, or of another config such as that with all trainings."""
    return input_function(function, settings, **given)


def by_choice(function, settings=config, **given):
    """The same, for jobs that need a variant's context: one that a sweep chooses is known when the sweep has ended."""

    def value(wildcards):
        choices = sweeps.context_choices(
            settings, getattr(wildcards, "replicate", None)
        )
        for replicate in choices.values():
            checkpoints.choose_candidate.get(replicate=replicate)
        return by_wildcards(function, sweeps.with_contexts(settings, choices), **given)(
            wildcards
        )

    return value


def within_gpu_limit(count_gpus):
    """Refuse a job that needs more GPUs than the run may use: Snakemake would give it fewer, and say nothing."""

    def count(wildcards):
        gpus = count_gpus(wildcards)
        limit = workflow.global_resources.get("gpu")
        if limit is not None and limit.value is not None and gpus > limit.value:
            raise WorkflowError(
                f"a job needs {gpus} GPUs, but this run may use {limit.value}: "
                f"raise the limit (--resources gpu={gpus}, or resources: gpu in the profile), "
                "or give the job fewer in the config"
            )
        return gpus

    return count

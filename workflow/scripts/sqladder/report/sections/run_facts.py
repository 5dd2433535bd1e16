"""What the run was made of: commit, seeds, versions, data, config, times."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqladder.report.results import Run
from sqladder.report.sections.report_inputs import Facts, ReportInputs
from sqladder.report.sections.times import timed
from sqladder.texts.markdown import code_block, escape, table
from sqladder.texts.numbers import UNKNOWN, megabytes, seconds

_OF_DOWNLOAD = ("repository", "requested", "commit")


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run, facts = inputs.comparison.run, inputs.facts
    commit = facts["commit"] or "unknown (no git repository)"
    changed = " with uncommitted changes" if facts["modified"] else ""
    seeds = [[f"`{key}`", str(value)] for key, value in facts["seeds"].items()]
    data = [[escape(path), f"`{checksum}`"] for path, checksum in facts["data"].items()]
    fetched = [
        [escape(name), *(escape(row.get(key, UNKNOWN)) for key in _OF_DOWNLOAD)]
        for name, row in facts.get("downloads", {}).items()
    ]
    downloads = "\n\n" + table(["download", *_OF_DOWNLOAD], fetched, "llll") if fetched else ""
    config = json.dumps(facts["config"], ensure_ascii=False, indent=2)
    return f"""## Run

Commit: {commit}{changed}

{table(["seed", "value"], seeds, "lr")}

{_versions(run, facts["versions"])}

{table(["data", "SHA-256"], data, "ll")}{downloads}

<details><summary>Config</summary>

{code_block(config, "json")}

</details>

{timed(["### Times", _hardware(facts), _times(facts["times"])])}"""


def time_table(times: Sequence[Mapping[str, Any]]) -> str:
    """Wall time, CPU time and peak memory of each job of the workflow."""
    rows = [
        [
            escape(job["rule"]),
            escape(job["name"]),
            seconds(job["seconds"]),
            seconds(job["cpu_seconds"]),
            megabytes(job["peak_rss_mb"]),
        ]
        for job in times
    ]
    return table(["rule", "job", "time", "CPU time", "peak memory"], rows, "llrrr")


def _versions(run: Run, of_report: Mapping[str, str]) -> str:
    """Each package's versions and the stages that used them: stages may have environments."""
    used = {"report": [of_report]}
    used["training"] = [own.training.get("versions", {}) for own in run.replicates]
    used["generation"] = [own.generation.get("versions", {}) for own in run.replicates]
    used["scoring"] = [own.scoring.get("versions", {}) for own in run.replicates]
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, environments in used.items():
        for item in {pair for versions in environments for pair in versions.items()}:
            stages.setdefault(item, []).append(stage)
    rows = [
        [escape(package), escape(version), ", ".join(names)]
        for (package, version), names in sorted(stages.items())
    ]
    return table(["package", "version", "stage"], rows, "lll")


def _hardware(facts: Facts) -> str:
    machine = facts["hardware"]
    return (
        f"Written {facts['written']} on {escape(machine['processor'])}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB of memory, {escape(machine['system'])}."
    )


def _times(times: Sequence[Facts]) -> str:
    total = sum(job["seconds"] for job in times)
    if not times:
        return "No times were recorded."
    return f"""{time_table(times)}

These jobs together: {seconds(total)}. Jobs that prepare data and prompts, and those of this report, are not among
them. CPU time and memory are of Snakemake's last sample, which is up to half a second before a job's end in its first
15 s and up to 30 s later on; "{UNKNOWN}": the job was over before its program was sampled."""

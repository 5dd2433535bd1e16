# Which way of adapting a small language model to text-to-SQL is best on these databases, by how much, at what cost?
from snakemake.utils import min_version

min_version("9.20")


# A user's config is the whole experiment: merged into the default, it would be one that nobody wrote.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/context.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/learn.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/track.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report.md",
    localrule: True

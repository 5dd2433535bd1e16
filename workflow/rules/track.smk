# Trackers: where trainings and scores are shown to a team. No other rule knows of them.
# REQUIRED: results/{replicate}/train.json of what was trained, metrics.json of what was scored.
# OUTPUTS: results/tracking/{replicate}.json, where it was sent and what went wrong; there too, what trackers write without a server.
# While trainings are under way, a program that common.smk starts sends what they write.


rule track:
    input:
        training=by_wildcards(tracking_jobs.tracked_training),
        scores=by_wildcards(tracking_jobs.tracked_scores),
    output:
        sent="results/tracking/{replicate}.json",
    log:
        "logs/track/{replicate}.log",
    wildcard_constraints:
        replicate=any_of(tracking_jobs.tracked(config)),
    conda:
        "../envs/track.yaml"
    params:
        code=CODE["track.py"],
        flags=by_wildcards(tracking_jobs.tracking_flags),
        failures=by_wildcards(tracking_jobs.earlier_failures),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/track.py \
            {params.flags:q} \
            --failures {params.failures} \
            --output {output.sent:q} \
            >{log:q} 2>&1
        """

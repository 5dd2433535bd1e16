# Verdicts: gold and prediction executed on every database file of the suite, in a sandbox.
#          Where the config says so, in the engine of the data instead.
# REQUIRED: examples, their databases, results/{replicate}/predictions.jsonl.
# OUTPUTS: results/{replicate}/{verdicts.jsonl,rows.jsonl,metrics.json}; results/{variant}/metrics.json of variants with several seeds;
#          results/{replicate}/sample_verdicts.jsonl, which samples are right, where the answer is chosen among several;
#          results/{replicate}/predict_bird.json, asked for by name: the answers in the form that BIRD's own evaluation reads;
#          results/{replicate}/unrepaired_verdicts.jsonl, which answers would be right unrepaired, where some are asked again.
# Results of gold stay in resources/cache, by the content of the databases: no output, since every variant and run adds to them.


rule score:
    input:
        examples=data_jobs.examples_of(config, "test"),
        databases=data_jobs.judged_on(config),
        predictions="results/{replicate}/predictions.jsonl",
    output:
        verdicts="results/{replicate}/verdicts.jsonl",
        rows="results/{replicate}/rows.jsonl",
        metrics="results/{replicate}/metrics.json",
    log:
        "logs/score/{replicate}.log",
    benchmark:
        "results/benchmarks/score/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of([] if JUDGED_NATIVELY else REPLICATES),
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["score.py"],
        flags=data_jobs.scoring_flags(config, config["test_on"])
        + data_jobs.bird_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/score.py \
            --variant {wildcards.replicate:q} \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            --gold-results resources/cache/gold \
            --jobs {threads} \
            {params.flags:q} \
            --verdicts {output.verdicts:q} \
            --rows {output.rows:q} \
            --metrics {output.metrics:q} \
            >{log:q} 2>&1
        """


rule score_natively:
    input:
        examples=data_jobs.examples_of(config, "test"),
        databases=data_jobs.judged_on(config),
        source=data_jobs.dataset_file(config, config["test_on"], "databases"),
        predictions="results/{replicate}/predictions.jsonl",
    output:
        verdicts="results/{replicate}/verdicts.jsonl",
        rows="results/{replicate}/rows.jsonl",
        metrics="results/{replicate}/metrics.json",
    log:
        "logs/score_natively/{replicate}.log",
    benchmark:
        "results/benchmarks/score/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(REPLICATES if JUDGED_NATIVELY else []),
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["score_natively.py"],
        flags=native_jobs.limit_flags(config) + native_jobs.source_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/score_natively.py \
            --variant {wildcards.replicate:q} \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            --jobs {threads} \
            {params.flags:q} \
            --verdicts {output.verdicts:q} \
            --rows {output.rows:q} \
            --metrics {output.metrics:q} \
            >{log:q} 2>&1
        """


rule write_bird_predictions:
    input:
        examples=data_jobs.examples_of(config, "test"),
        predictions="results/{replicate}/predictions.jsonl",
    output:
        predictions="results/{replicate}/predict_bird.json",
    log:
        "logs/write_bird_predictions/{replicate}.log",
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["write_bird_predictions.py"],
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/write_bird_predictions.py \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --output {output.predictions:q} \
            >{log:q} 2>&1
        """


rule score_samples:
    input:
        examples=data_jobs.examples_of(config, "test"),
        databases=data_jobs.judged_on(config),
        predictions="results/{replicate}/predictions.jsonl",
    output:
        verdicts="results/{replicate}/sample_verdicts.jsonl",
    log:
        "logs/score_samples/{replicate}.log",
    benchmark:
        "results/benchmarks/score_samples/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(generation_jobs.chosen_from_samples(config)),
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["score_samples.py"],
        flags=data_jobs.scoring_flags(config, config["test_on"])
        + native_jobs.source_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/score_samples.py \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            --gold-results resources/cache/gold \
            --jobs {threads} \
            {params.flags:q} \
            --output {output.verdicts:q} \
            >{log:q} 2>&1
        """


rule score_unrepaired:
    input:
        examples=data_jobs.examples_of(config, "test"),
        databases=data_jobs.judged_on(config),
        predictions="results/{replicate}/predictions.jsonl",
    output:
        verdicts="results/{replicate}/unrepaired_verdicts.jsonl",
    log:
        "logs/score_unrepaired/{replicate}.log",
    benchmark:
        "results/benchmarks/score_unrepaired/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(generation_jobs.repaired(config)),
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["score_unrepaired.py"],
        flags=data_jobs.scoring_flags(config, config["test_on"]),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/score_unrepaired.py \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            --gold-results resources/cache/gold \
            --jobs {threads} \
            {params.flags:q} \
            --output {output.verdicts:q} \
            >{log:q} 2>&1
        """


rule average_seeds:
    input:
        metrics=by_wildcards(variants.files_of_seeds, name="metrics.json"),
    output:
        metrics="results/{variant}/metrics.json",
    log:
        "logs/average_seeds/{variant}.log",
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["average_seeds.py"],
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/average_seeds.py \
            --variant {wildcards.variant:q} \
            --metrics {input.metrics:q} \
            --output {output.metrics:q} \
            >{log:q} 2>&1
        """

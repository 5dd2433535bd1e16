# Verdicts: gold and prediction executed on every database file of the suite, in a sandbox.
# REQUIRED: examples, their databases, results/{variant}/predictions.jsonl.
# OUTPUTS: results/{variant}/{verdicts.jsonl,metrics.json}.


rule score:
    input:
        script="workflow/scripts/score.py",
        modules=modules_of("score.py"),
        examples=examples_of("test"),
        databases=databases_of("test"),
        predictions="results/{variant}/predictions.jsonl",
    output:
        verdicts="results/{variant}/verdicts.jsonl",
        metrics="results/{variant}/metrics.json",
    log:
        "logs/score/{variant}.log",
    benchmark:
        "results/benchmarks/score/{variant}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        flags=as_flags(config["scoring"]),
    shell:
        r"""
        python {input.script:q} \
            --variant {wildcards.variant:q} \
            --examples {input.examples:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            --jobs {threads} \
            {params.flags:q} \
            --verdicts {output.verdicts:q} \
            --metrics {output.metrics:q} \
            >{log:q} 2>&1
        """

# Contexts: a question and its database's schema, written into the prompt that training and inference share.
# REQUIRED: examples and databases of the data sets.
# OUTPUTS: resources/prompts/{context}/{split}.jsonl: id, messages.


rule render_prompts:
    input:
        script="workflow/scripts/render_prompts.py",
        modules=modules_of("render_prompts.py"),
        examples=prompt_examples,
        databases=prompt_databases,
    output:
        prompts="resources/prompts/{context}/{split}.jsonl",
    log:
        "logs/render_prompts/{context}.{split}.log",
    benchmark:
        "results/benchmarks/render_prompts/{context}.{split}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        flags=prompt_flags,
    shell:
        r"""
        python {input.script:q} \
            --examples {input.examples:q} \
            --databases {input.databases:q} \
            {params.flags:q} \
            --output {output.prompts:q} \
            >{log:q} 2>&1
        """

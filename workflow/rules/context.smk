# Contexts: a question and its database's schema, written into the prompt that training and inference share.
# REQUIRED: examples and databases of the data sets; base model (its tokenizer, for the preview).
# OUTPUTS: resources/prompts/{context}/{split}.jsonl: id, messages, spans of the schema;
#          resources/retrieval/{context}/{index/,<split>.jsonl} where a context has few-shot examples; results/preview.md.
# The index is built in a folder outside the declared outputs, so that a job that was killed goes on where it was.


rule index_examples:
    input:
        pool=data_jobs.examples_of(config, "train"),
        pool_databases=by_wildcards(context_jobs.masking_databases, split="train"),
        model=by_wildcards(context_jobs.embedding_model),
    output:
        index=directory("resources/retrieval/{context}/index"),
    log:
        "logs/index_examples/{context}.log",
    benchmark:
        "results/benchmarks/index_examples/{context}.tsv"
    wildcard_constraints:
        context=any_of(context_jobs.embedded_contexts(config)),
    conda:
        "../envs/context.yaml"
    threads: 2  # OMP_NUM_THREADS follows
    resources:
        gpu=1,
    params:
        code=CODE["index_examples.py"],
        work=subpath(output.index, parent=True),
        flags=by_wildcards(context_jobs.index_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- \
            python "$SQLADDER_SCRIPTS"/index_examples.py \
            --pool {input.pool:q} \
            {params.flags:q} \
            --work {params.work:q}/building \
            --output {output.index:q} \
            >{log:q} 2>&1
        """


rule retrieve_examples:
    input:
        questions=by_wildcards(data_jobs.examples_of),
        pool=data_jobs.examples_of(config, "train"),
        databases=by_wildcards(context_jobs.masking_databases),
        pool_databases=by_wildcards(context_jobs.masking_databases, split="train"),
        index=by_wildcards(context_jobs.examples_index),
        models=by_wildcards(context_jobs.retrieval_models),
    output:
        examples="resources/retrieval/{context}/{split}.jsonl",
    log:
        "logs/retrieve_examples/{context}.{split}.log",
    benchmark:
        "results/benchmarks/retrieve_examples/{context}.{split}.tsv"
    wildcard_constraints:
        context=any_of(context_jobs.contexts_with_examples(config)),
    conda:
        "../envs/context.yaml"
    threads: 2  # OMP_NUM_THREADS follows
    resources:
        gpu=by_wildcards(context_jobs.retrieval_gpus),
    params:
        code=CODE["retrieve_examples.py"],
        flags=by_wildcards(context_jobs.retrieval_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- \
            python "$SQLADDER_SCRIPTS"/retrieve_examples.py \
            --questions {input.questions:q} \
            --pool {input.pool:q} \
            {params.flags:q} \
            --output {output.examples:q} \
            >{log:q} 2>&1
        """


rule render_prompts:
    input:
        examples=by_wildcards(data_jobs.examples_of),
        databases=by_wildcards(data_jobs.databases_of),
        references=by_wildcards(context_jobs.prompt_references),
        tables=by_wildcards(context_jobs.prompt_tables),
    output:
        prompts="resources/prompts/{context}/{split}.jsonl",
    log:
        "logs/render_prompts/{context}.{split}.log",
    benchmark:
        "results/benchmarks/render_prompts/{context}.{split}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["render_prompts.py"],
        flags=by_wildcards(context_jobs.prompt_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/render_prompts.py \
            --examples {input.examples:q} \
            {params.flags:q} \
            --output {output.prompts:q} \
            >{log:q} 2>&1
        """


rule preview:
    input:
        prompts=collect(
            "resources/prompts/{context}/test.jsonl", context=config["contexts"]
        ),
        model=training_jobs.base_model(config),
    output:
        preview="results/preview.md",
    log:
        "logs/preview.log",
    conda:
        "../envs/generate.yaml"
    params:
        code=CODE["preview.py"],
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/preview.py \
            --prompts {input.prompts:q} \
            --model {input.model:q} \
            --output {output.preview:q} \
            >{log:q} 2>&1
        """

# Data sets: questions with their gold SQL, and the databases that the questions are about.
# REQUIRED: resources/demo/schemas/*.sql, or the files named in config["datasets"].
# OUTPUTS: resources/datasets/{dataset}/databases/<db_id>/*.sqlite and
#          {pretrain,train,validation,test}.jsonl (demo) or {questions,examples,left_out}.jsonl (files).


rule build_demo_databases:
    input:
        script="workflow/scripts/build_demo_databases.py",
        modules=modules_of("build_demo_databases.py"),
        schemas=DEMO_SCHEMAS,
    output:
        databases=directory("resources/datasets/{dataset}/databases"),
    log:
        "logs/build_demo_databases/{dataset}.log",
    benchmark:
        "results/benchmarks/build_demo_databases/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(DEMO_DATASETS),
    conda:
        "../envs/data.yaml"
    params:
        seed=config["seed"],
        variations=number_of_variations,
    shell:
        r"""
        python {input.script:q} \
            --schemas resources/demo/schemas \
            --variations {params.variations} \
            --seed {params.seed} \
            --output {output.databases:q} \
            >{log:q} 2>&1
        """


rule make_demo_examples:
    input:
        script="workflow/scripts/make_demo_examples.py",
        modules=modules_of("make_demo_examples.py"),
        databases="resources/datasets/{dataset}/databases",
    output:
        collect("resources/datasets/{{dataset}}/{split}.jsonl", split=DEMO_SPLITS),
    log:
        "logs/make_demo_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/make_demo_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(DEMO_DATASETS),
    conda:
        "../envs/data.yaml"
    params:
        seed=config["seed"],
        folder=subpath(output[0], parent=True),
    shell:
        r"""
        python {input.script:q} \
            --databases {input.databases:q} \
            --seed {params.seed} \
            --output {params.folder:q} \
            >{log:q} 2>&1
        """


rule import_databases:
    input:
        script="workflow/scripts/import_databases.py",
        modules=modules_of("import_databases.py"),
        source=dataset_file("databases"),
    output:
        databases=directory("resources/datasets/{dataset}/databases"),
    log:
        "logs/import_databases/{dataset}.log",
    benchmark:
        "results/benchmarks/import_databases/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(FILE_DATASETS),
    conda:
        "../envs/data.yaml"
    shell:
        r"""
        python {input.script:q} \
            --source {input.source:q} \
            --output {output.databases:q} \
            >{log:q} 2>&1
        """


rule import_questions:
    input:
        script="workflow/scripts/import_questions.py",
        modules=modules_of("import_questions.py"),
        questions=dataset_file("questions"),
        gold=dataset_file("gold"),
        databases="resources/datasets/{dataset}/databases",
    output:
        questions="resources/datasets/{dataset}/questions.jsonl",
        examples="resources/datasets/{dataset}/examples.jsonl",
        left_out="resources/datasets/{dataset}/left_out.jsonl",
    log:
        "logs/import_questions/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(FILE_DATASETS),
    conda:
        "../envs/data.yaml"
    params:
        flags=import_flags,
    shell:
        r"""
        python {input.script:q} \
            --questions {input.questions:q} \
            --databases {input.databases:q} \
            {params.flags:q} \
            --all {output.questions:q} \
            --output {output.examples:q} \
            --left-out {output.left_out:q} \
            >{log:q} 2>&1
        """

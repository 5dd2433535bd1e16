# Data sets: questions with their gold SQL, and the databases that the questions are about.
# REQUIRED: resources/demo/schemas/*.sql, or the files and downloads named in config["datasets"].
# OUTPUTS: resources/datasets/{dataset}/databases/<db_id>/*.sqlite and {pretrain,train,validation,test}.jsonl (demo),
#          {questions,examples,left_out,gold}.jsonl, gold.md (files), {train,validation,test}.jsonl (files with a split);
#          results/validation.json, where checkpoints are chosen by questions;
#          resources/downloads/{download}/, resources/decontaminated/{train,train_marks,test_marks}.jsonl.


rule build_demo_databases:
    input:
        schemas=DEMO_SCHEMAS,
    output:
        databases=directory("resources/datasets/{dataset}/databases"),
    log:
        "logs/build_demo_databases/{dataset}.log",
    benchmark:
        "results/benchmarks/build_demo_databases/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.datasets_by_source(config, "demo")),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["build_demo_databases.py"],
        seed=variants.first_seed(config),
        variations=by_wildcards(data_jobs.number_of_variations),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/build_demo_databases.py \
            --schemas "$SQLADDER_SCRIPTS"/../../resources/demo/schemas \
            --variations {params.variations} \
            --seed {params.seed} \
            --output {output.databases:q} \
            >{log:q} 2>&1
        """


rule make_demo_examples:
    input:
        databases="resources/datasets/{dataset}/databases",
    output:
        collect(
            "resources/datasets/{{dataset}}/{split}.jsonl", split=data_jobs.DEMO_SPLITS
        ),
    log:
        "logs/make_demo_examples/{dataset}.log",
    benchmark:
        "results/benchmarks/make_demo_examples/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.datasets_by_source(config, "demo")),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["make_demo_examples.py"],
        seed=variants.first_seed(config),
        folder=subpath(output[0], parent=True),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/make_demo_examples.py \
            --databases {input.databases:q} \
            --seed {params.seed} \
            --output {params.folder:q} \
            >{log:q} 2>&1
        """


rule fetch:
    input:
        folder=by_wildcards(data_jobs.local_download),
    output:
        directory("resources/downloads/{download}"),
    log:
        "logs/fetch/{download}.log",
    benchmark:
        "results/benchmarks/fetch/{download}.tsv"
    # The program tries again what may pass, whatever the profile says; what was refused would be again.
    retries: 0
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["fetch.py"],
        flags=by_wildcards(data_jobs.download_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/fetch.py \
            {params.flags:q} \
            --record config/checksums/{wildcards.download:q}.json \
            --work-folder resources/fetching/{wildcards.download:q} \
            --output {output:q} \
            >{log:q} 2>&1
        """


rule import_databases:
    input:
        source=by_wildcards(data_jobs.dataset_file, key="databases"),
    output:
        databases=directory("resources/datasets/{dataset}/databases"),
    log:
        "logs/import_databases/{dataset}.log",
    benchmark:
        "results/benchmarks/import_databases/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.paired_datasets(config)),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["import_databases.py"],
        source=by_wildcards(data_jobs.dataset_path, key="databases"),
        flags=by_wildcards(native_jobs.native_flag),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/import_databases.py \
            --source {params.source:q} \
            {params.flags:q} \
            --output {output.databases:q} \
            >{log:q} 2>&1
        """


rule make_suite:
    input:
        examples=data_jobs.examples_of(config, "test"),
        databases="resources/datasets/{dataset}/databases",
        original=by_wildcards(native_jobs.native_file),
    output:
        suite=directory("resources/datasets/{dataset}/suite"),
    log:
        "logs/make_suite/{dataset}.log",
    benchmark:
        "results/benchmarks/make_suite/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.datasets_with_suites(config)),
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["make_suite.py"],
        flags=by_wildcards(data_jobs.suite_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/make_suite.py \
            --examples {input.examples:q} \
            --databases {input.databases:q} \
            --jobs {threads} \
            {params.flags:q} \
            --output {output.suite:q} \
            >{log:q} 2>&1
        """


rule import_questions:
    input:
        questions=by_wildcards(data_jobs.dataset_file, key="questions"),
        gold=by_wildcards(data_jobs.dataset_file, key="gold"),
        databases="resources/datasets/{dataset}/databases",
    output:
        questions="resources/datasets/{dataset}/questions.jsonl",
        paired="resources/datasets/{dataset}/paired.jsonl",
        left_out="resources/datasets/{dataset}/left_out.jsonl",
    log:
        "logs/import_questions/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(data_jobs.paired_datasets(config)),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["import_questions.py"],
        questions=by_wildcards(data_jobs.dataset_path, key="questions"),
        flags=by_wildcards(data_jobs.import_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/import_questions.py \
            --questions {params.questions:q} \
            --databases {input.databases:q} \
            {params.flags:q} \
            --all {output.questions:q} \
            --output {output.paired:q} \
            --left-out {output.left_out:q} \
            >{log:q} 2>&1
        """


rule import_rows:
    input:
        rows=by_wildcards(data_jobs.dataset_file, key="questions"),
    output:
        examples="resources/datasets/{dataset}/examples.jsonl",
    log:
        "logs/import_rows/{dataset}.log",
    benchmark:
        "results/benchmarks/import_rows/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.row_datasets(config)),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["import_rows.py"],
        rows=by_wildcards(data_jobs.dataset_path, key="questions"),
        flags=by_wildcards(data_jobs.reading_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/import_rows.py \
            --rows {params.rows:q} \
            {params.flags:q} \
            --output {output.examples:q} \
            >{log:q} 2>&1
        """


rule check_gold:
    input:
        examples="resources/datasets/{dataset}/paired.jsonl",
        left_out="resources/datasets/{dataset}/left_out.jsonl",
        repairs=by_wildcards(data_jobs.dataset_file, key="gold_repairs"),
        databases="resources/datasets/{dataset}/databases",
    output:
        examples="resources/datasets/{dataset}/examples.jsonl",
        checks="resources/datasets/{dataset}/gold.jsonl",
        summary="resources/datasets/{dataset}/gold.md",
    log:
        "logs/check_gold/{dataset}.log",
    benchmark:
        "results/benchmarks/check_gold/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(data_jobs.paired_datasets(config)),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["check_gold.py"],
        flags=by_wildcards(data_jobs.gold_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/check_gold.py \
            --examples {input.examples:q} \
            --left-out {input.left_out:q} \
            --databases {input.databases:q} \
            {params.flags:q} \
            --output {output.examples:q} \
            --checks {output.checks:q} \
            --summary {output.summary:q} \
            >{log:q} 2>&1
        """


rule split_examples:
    input:
        examples="resources/datasets/{dataset}/examples.jsonl",
    output:
        collect(
            "resources/datasets/{{dataset}}/{part}.jsonl",
            part=["train", "validation", "test"],
        ),
    log:
        "logs/split_examples/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(data_jobs.split_datasets(config)),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["split_examples.py"],
        flags=by_wildcards(data_jobs.split_flags),
        folder=subpath(output[0], parent=True),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/split_examples.py \
            --examples {input.examples:q} \
            {params.flags:q} \
            --output {params.folder:q} \
            >{log:q} 2>&1
        """


rule check_validation:
    input:
        validation=data_jobs.examples_of(config, "validation"),
        test=data_jobs.examples_of(config, "test"),
    output:
        facts="results/validation.json",
    log:
        "logs/check_validation.log",
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["check_validation.py"],
        flags=data_jobs.validation_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/check_validation.py \
            --validation {input.validation:q} \
            --test {input.test:q} \
            {params.flags:q} \
            --output {output.facts:q} \
            >{log:q} 2>&1
        """


rule mix_training_sets:
    input:
        examples=mixes.mixed_files(config, "examples"),
        databases=mixes.mixed_files(config, "databases"),
    output:
        examples="resources/datasets/train_mix/examples.jsonl",
        databases=directory("resources/datasets/train_mix/databases"),
        facts="results/train_mix.json",
    log:
        "logs/mix_training_sets.log",
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["mix_training_sets.py"],
        sets=mixes.mixing_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/mix_training_sets.py \
            {params.sets:q} \
            --output {output.examples:q} \
            --databases {output.databases:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule decontaminate:
    input:
        examples=data_jobs.imported_examples_of(config, "train"),
        databases=data_jobs.databases_of(config, "train"),
        evaluation=data_jobs.examples_of(config, "test"),
        evaluation_databases=data_jobs.databases_of(config, "test"),
    output:
        **data_jobs.cleaned_rows(config),
        marks="resources/decontaminated/train_marks.jsonl",
        evaluation_marks="resources/decontaminated/test_marks.jsonl",
        report="results/decontamination.md",
        facts="results/decontamination.json",
    log:
        "logs/decontaminate.log",
    benchmark:
        "results/benchmarks/decontaminate.tsv"
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["decontaminate.py"],
        flags=by_wildcards(data_jobs.decontamination_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/decontaminate.py \
            --examples {input.examples:q} \
            --evaluation {input.evaluation:q} \
            --evaluation-databases {input.evaluation_databases:q} \
            {params.flags:q} \
            --marks {output.marks:q} \
            --evaluation-marks {output.evaluation_marks:q} \
            --report {output.report:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """

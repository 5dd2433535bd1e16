# Learning from execution: answers to training questions that a model draws, judged, and what is learned of them.
# REQUIRED: results/<start>/model, or that of the round before, and the training rows with their databases.
# OUTPUTS: resources/datasets/{dataset}/training_suite/, contents made for the training questions, where the config asks for suites;
#          results/<start>/drawn/<digest>/: drawn.jsonl with the answers, judged.jsonl with a verdict of each, for all variants that
#          learn of them; results/{learned_in}/ (<variant>/rounds/<number>): rows.jsonl or pairs.jsonl, on which the round's model is
#          trained (train.smk), and kept.json, what was kept and what it took.
#          Of a variant trained by reward: results/{replicate}/{model/,train.json}; it draws and judges at each step.
# No question of the test is read.


use rule make_suite as make_training_suite with:
    input:
        examples=data_jobs.examples_of(config, "train"),
        databases="resources/datasets/{dataset}/databases",
    output:
        suite=directory("resources/datasets/{dataset}/training_suite"),
    log:
        "logs/make_training_suite/{dataset}.log",
    benchmark:
        "results/benchmarks/make_training_suite/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(learning.training_suites(config)),


use rule generate as draw_answers with:
    input:
        model=by_wildcards(learning.drawing_model),
        prompts=by_wildcards(learning.drawing_prompts),
    output:
        predictions="results/{drawing}/drawn.jsonl",
        facts="results/{drawing}/drawn.json",
    log:
        "logs/draw_answers/{drawing}.log",
    benchmark:
        "results/benchmarks/draw_answers/{drawing}.tsv"
    conda:
        by_wildcards(learning.drawing_environment)
    resources:
        gpu=within_gpu_limit(by_wildcards(learning.drawing_gpus)),
        mem="2GB",
    params:
        program="generate.py",
        code=CODE["generate.py"],
        flags=by_wildcards(learning.drawing_flags),


rule judge_drawn:
    input:
        examples=data_jobs.examples_of(config, "train"),
        databases=learning.judging_databases(config),
        drawn="results/{drawing}/drawn.jsonl",
    output:
        judged="results/{drawing}/judged.jsonl",
        facts="results/{drawing}/judged.json",
    log:
        "logs/judge_drawn/{drawing}.log",
    benchmark:
        "results/benchmarks/judge_drawn/{drawing}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        code=CODE["judge_drawn.py"],
        limits=learning.judging_flags(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/judge_drawn.py \
            --examples {input.examples:q} \
            --drawn {input.drawn:q} \
            --databases {input.databases:q} \
            --gold-results resources/cache/gold \
            --jobs {threads} \
            {params.limits:q} \
            --output {output.judged:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule keep_drawn:
    input:
        prompts=by_wildcards(learning.asked_prompts),
        judged=by_wildcards(learning.earlier_judged),
        drawn_facts=by_wildcards(learning.drawn_file, name="drawn.json"),
        judged_facts=by_wildcards(learning.drawn_file, name="judged.json"),
        # Of params.flags: what the training of the round before took.
        before=by_wildcards(learning.training_before),
    output:
        rows="results/{learned_in}/rows.jsonl",
        facts="results/{learned_in}/kept.json",
    log:
        "logs/keep_drawn/{learned_in}.log",
    wildcard_constraints:
        learned_in=any_of(learning.rounds_by(config, "rejection")),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["keep_drawn.py"],
        flags=by_wildcards(learning.keeping_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/keep_drawn.py \
            --prompts {input.prompts:q} \
            --judged {input.judged:q} \
            --drawn-facts {input.drawn_facts:q} \
            --judged-facts {input.judged_facts:q} \
            {params.flags:q} \
            --output {output.rows:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule pair_drawn:
    input:
        prompts=by_wildcards(learning.asked_prompts),
        judged=by_wildcards(learning.drawn_file, name="judged.jsonl"),
        drawn_facts=by_wildcards(learning.drawn_file, name="drawn.json"),
        judged_facts=by_wildcards(learning.drawn_file, name="judged.json"),
    output:
        pairs="results/{learned_in}/pairs.jsonl",
        facts="results/{learned_in}/kept.json",
    log:
        "logs/pair_drawn/{learned_in}.log",
    wildcard_constraints:
        learned_in=any_of(learning.rounds_by(config, "dpo")),
    conda:
        "../envs/data.yaml"
    params:
        code=CODE["pair_drawn.py"],
        flags=by_wildcards(learning.pairing_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/pair_drawn.py \
            --prompts {input.prompts:q} \
            --judged {input.judged:q} \
            --drawn-facts {input.drawn_facts:q} \
            --judged-facts {input.judged_facts:q} \
            {params.flags:q} \
            --output {output.pairs:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule reinforce:
    input:
        base_model=by_wildcards(training_jobs.model_to_train, TRAININGS),
        data=by_wildcards(training_jobs.fitted_prompts, TRAININGS),
        examples=reinforced.reward_examples(config),
        databases=reinforced.reward_databases(config),
        # Of params.judge: by what a checkpoint is chosen, where one is.
        prompts=by_wildcards(training_jobs.validation_prompts, TRAININGS),
        validation=by_wildcards(training_jobs.validation_examples, TRAININGS),
        validation_databases=by_wildcards(training_jobs.validation_databases, TRAININGS),
    output:
        model=directory("results/{replicate}/model"),
        facts="results/{replicate}/train.json",
    log:
        "logs/reinforce/{replicate}.log",
    benchmark:
        "results/benchmarks/reinforce/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(reinforced.reinforced(config)),
    conda:
        by_wildcards(training_jobs.training_environment, TRAININGS)
    threads: 1  # of torch (OMP_NUM_THREADS follows) and of the judging; a toy model is faster on one
    resources:
        gpu=within_gpu_limit(by_wildcards(training_jobs.training_gpus, TRAININGS)),
        mem="2GB",
    params:
        code=by_wildcards(reinforced.reward_code, TRAININGS, code=CODE),
        flags=by_wildcards(reinforced.reward_flags, TRAININGS),
        limits=reinforced.reward_limits(config),
        judge=by_wildcards(training_jobs.judge_command, TRAININGS),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- \
            python "$SQLADDER_SCRIPTS"/reinforce.py \
            --base-model {input.base_model:q} \
            {params.flags:q} \
            --examples {input.examples:q} \
            --databases {input.databases:q} \
            --gold-results resources/cache/gold \
            --jobs {threads} \
            {params.limits:q} \
            --work-folder results/{wildcards.replicate:q}/training \
            --output {output.model:q} \
            --facts {output.facts:q} \
            {params.judge:q} \
            >{log:q} 2>&1
        """

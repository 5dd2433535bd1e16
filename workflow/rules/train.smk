# Models: the base, and every variant's own as a Hugging Face folder; LoRA is merged.
# REQUIRED: resources/prompts/{context}/{pretrain,train}.jsonl.
#           Of a variant that searches its settings, each candidate has results/<variant>/candidates/<digest>/{model/,train.json};
#           with halving also rung_<number>.json, and results/<variant>/candidates/rung_<number>.json says who goes on.
# OUTPUTS: resources/base_model (toy base only), resources/base_with_template (where the config names a template),
#          resources/prompts/{context}/train.{cutoff}.{over}.jsonl,
#          results/lengths/, results/{replicate}/{model/,train.json}; of a quantized variant both are another one's, made smaller.
# GPUs are leased by a program whose code is in no rule's params: an edit of it changes no model (docs/gpus.md).
# Checkpoints lie outside the declared outputs, so that a job that was killed goes on where it was.


rule train_base:
    input:
        prompts=by_wildcards(training_jobs.pretraining_prompts),
    output:
        model=directory("resources/base_model"),
        facts="resources/base_model.json",
    log:
        "logs/train_base.log",
    benchmark:
        "results/benchmarks/train_base.tsv"
    conda:
        "../envs/train.yaml"
    threads: 2  # OMP_NUM_THREADS follows
    resources:
        gpu=1,
        mem="2GB",
    params:
        code=CODE["train_base.py"],
        flags=by_wildcards(training_jobs.toy_base_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- \
            python "$SQLADDER_SCRIPTS"/train_base.py \
            --prompts {input.prompts:q} \
            {params.flags:q} \
            --work-folder resources/base_model_training \
            --output {output.model:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule add_template:
    input:
        model=training_jobs.given_base(config),
    output:
        model=directory("resources/base_with_template"),
    log:
        "logs/add_template.log",
    conda:
        "../envs/train.yaml"
    params:
        code=CODE["add_template.py"],
        template=training_jobs.base_template(config),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/add_template.py \
            --model {input.model:q} \
            --template {params.template:q} \
            --output {output.model:q} \
            >{log:q} 2>&1
        """


rule fit_prompts:
    input:
        prompts="resources/prompts/{context}/train.jsonl",
        base_model=training_jobs.base_model(config),
    output:
        prompts="resources/prompts/{context}/train.{cutoff}.{over}.jsonl",
        facts="results/lengths/{context}.{cutoff}.{over}.json",
        chart="results/lengths/{context}.{cutoff}.{over}.svg",
    log:
        "logs/fit_prompts/{context}.{cutoff}.{over}.log",
    benchmark:
        "results/benchmarks/fit_prompts/{context}.{cutoff}.{over}.tsv"
    conda:
        "../envs/train.yaml"
    params:
        code=CODE["fit_prompts.py"],
        flags=by_wildcards(training_jobs.fitting_flags, TRAININGS),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/fit_prompts.py \
            --prompts {input.prompts:q} \
            --tokenizer {input.base_model:q} \
            {params.flags:q} \
            --output {output.prompts:q} \
            --facts {output.facts:q} \
            --chart {output.chart:q} \
            >{log:q} 2>&1
        """


rule train:
    input:
        # Or the model of another variant, where the training starts from that.
        base_model=by_wildcards(training_jobs.model_to_train, TRAININGS),
        data=by_choice(training_jobs.training_prompts, TRAININGS),
        # Of params.flags: what the data hold, where they were drawn by a model (learn.smk).
        learned=by_wildcards(training_jobs.learned_facts, TRAININGS),
        # Of params.judge: by what a checkpoint is chosen, where one is.
        prompts=by_choice(training_jobs.validation_prompts, TRAININGS),
        examples=by_wildcards(training_jobs.validation_examples, TRAININGS),
        databases=by_wildcards(training_jobs.validation_databases, TRAININGS),
        # Of params.flags: where a sweep left the settings that further seeds are trained with.
        swept=by_wildcards(sweeps.settings_file),
        # Of params.rung: who goes on from the rung before, where a sweep stops the others.
        rung=by_wildcards(halved_sweeps.inputs_before, rung=None),
    output:
        model=directory("results/{replicate}/model"),
        facts="results/{replicate}/train.json",
    log:
        "logs/train/{replicate}.log",
    benchmark:
        "results/benchmarks/train/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(trainings.names_of_trainings(config)),
    conda:
        by_wildcards(training_jobs.training_environment, TRAININGS)
    threads: 1  # OMP_NUM_THREADS follows; a toy model is faster on one thread, and variants train side by side
    resources:
        gpu=within_gpu_limit(by_wildcards(training_jobs.training_gpus, TRAININGS)),
        mem="2GB",
        # What SLURM needs to know of several nodes (docs/gpus.md).
        nodes=by_wildcards(training_jobs.training_nodes, TRAININGS),
        tasks=by_wildcards(training_jobs.training_tasks, TRAININGS),
        mpi=by_wildcards(training_jobs.training_starter, TRAININGS),
    params:
        code=by_wildcards(training_jobs.training_code, TRAININGS, code=CODE),
        flags=by_choice(training_jobs.training_flags, TRAININGS),
        budget=by_wildcards(halved_sweeps.shared_hours, rung=None),
        rung=by_wildcards(halved_sweeps.rung_flags, TRAININGS, code=CODE, rung=None),
        judge=by_choice(training_jobs.judge_command, TRAININGS),
        model="results/{replicate}/model",
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- \
            python "$SQLADDER_SCRIPTS"/train.py \
            --base-model {input.base_model:q} \
            {params.flags:q} \
            {params.budget:q} \
            {params.rung:q} \
            --work-folder results/{wildcards.replicate:q}/training \
            --output {params.model:q} \
            --facts {output.facts:q} \
            {params.judge:q} \
            >{log:q} 2>&1
        """


use rule train as train_rung with:
    input:
        base_model=by_wildcards(training_jobs.model_to_train, TRAININGS),
        data=by_wildcards(training_jobs.training_prompts, TRAININGS),
        # Of params.judge, and of params.rung.
        prompts=by_wildcards(training_jobs.validation_prompts, TRAININGS),
        examples=by_wildcards(training_jobs.validation_examples, TRAININGS),
        databases=by_wildcards(training_jobs.validation_databases, TRAININGS),
        rung=by_wildcards(halved_sweeps.inputs_before),
    output:
        facts="results/{replicate}/rung_{rung}.json",
    log:
        "logs/train_rung/{replicate}.{rung}.log",
    benchmark:
        "results/benchmarks/train_rung/{replicate}.{rung}.tsv"
    wildcard_constraints:
        replicate=any_of(halved_sweeps.halved_candidates(config)),
        rung=r"\d+",
    params:
        budget=by_wildcards(halved_sweeps.shared_hours),
        rung=by_wildcards(halved_sweeps.rung_flags, TRAININGS, code=CODE),
        # Kept for the rungs to come, and no output: the last rung gives the model.
        model="results/{replicate}/training/whole_model",


rule choose_rung:
    input:
        candidates=by_wildcards(halved_sweeps.rung_facts),
    output:
        choice="results/{variant}/candidates/rung_{rung}.json",
    log:
        "logs/choose_rung/{variant}.{rung}.log",
    wildcard_constraints:
        variant=any_of(halved_sweeps.halved(config)),
        rung=r"\d+",
    conda:
        "../envs/train.yaml"
    params:
        code=CODE["choose_rung.py"],
        flags=by_wildcards(halved_sweeps.choice_flags_of_rung),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/choose_rung.py \
            --candidates {input.candidates:q} \
            {params.flags:q} \
            --output {output.choice:q} \
            >{log:q} 2>&1
        """


# What is asked of the test depends on it, where a context is chosen.
checkpoint choose_candidate:
    input:
        models=by_wildcards(sweeps.candidate_files, name="model"),
        facts=by_wildcards(sweeps.candidate_files, name="train.json"),
    output:
        model=directory("results/{replicate}/model"),
        facts="results/{replicate}/train.json",
    log:
        "logs/choose_candidate/{replicate}.log",
    wildcard_constraints:
        replicate=any_of(sweeps.searched(config)),
    conda:
        "../envs/train.yaml"
    params:
        code=CODE["choose_candidate.py"],
        candidates=by_wildcards(sweeps.choice_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/choose_candidate.py \
            {params.candidates:q} \
            --output {output.model:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """


rule gather_learning_curve:
    input:
        facts=by_wildcards(curve_points.curve_facts),
    output:
        curve="results/{variant}/learning_curve.json",
    log:
        "logs/gather_learning_curve/{variant}.log",
    wildcard_constraints:
        variant=any_of(curve_points.with_curve(config)),
    conda:
        "../envs/train.yaml"
    params:
        code=CODE["gather_learning_curve.py"],
        models=by_wildcards(curve_points.curve_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/gather_learning_curve.py \
            --variant {wildcards.variant:q} \
            {params.models:q} \
            --output {output.curve:q} \
            >{log:q} 2>&1
        """


rule quantize:
    input:
        model=by_wildcards(training_jobs.model_to_quantize),
        training=by_wildcards(training_jobs.facts_to_quantize),
    output:
        model=directory("results/{replicate}/model"),
        facts="results/{replicate}/train.json",
    log:
        "logs/quantize/{replicate}.log",
    benchmark:
        "results/benchmarks/quantize/{replicate}.tsv"
    wildcard_constraints:
        replicate=any_of(variants.quantized(config)),
    conda:
        by_wildcards(generation_jobs.generation_environment)
    threads: 1
    resources:
        mem="2GB",
    params:
        code=CODE["quantize.py"],
        kind=by_wildcards(training_jobs.kind_to_quantize),
    shell:
        # It works on the CPU and leases no GPU, so it sees none.
        r"""
        CUDA_VISIBLE_DEVICES= python "$SQLADDER_SCRIPTS"/quantize.py \
            --model {input.model:q} \
            --training {input.training:q} \
            --quantize {params.kind:q} \
            --output {output.model:q} \
            --facts {output.facts:q} \
            >{log:q} 2>&1
        """

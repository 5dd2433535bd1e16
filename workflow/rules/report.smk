# The report: the run's facts, model cards, and the ranking with charts, failures and everything it rests on.
# REQUIRED: results/{replicate}/{verdicts.jsonl,rows.jsonl,metrics.json,predictions.jsonl,train.json,generation.json}.
# OUTPUTS: results/{report.md,report.html,metrics.csv,pairs.csv,results.json,run.json,facts.json,failures.jsonl}, results/{replicate}/{model_card.md,loss.svg}, results/charts/*.{svg,png}.


rule collect_run_facts:
    input:
        **report_jobs.training_row_files(config),
        data=by_choice(report_jobs.files_that_made_the_run),
        lengths=by_choice(report_jobs.row_lengths),
        suite=data_jobs.made_suite(config),
        models=collect("results/{replicate}/model", replicate=WITH_MODEL),
        benchmarks=report_jobs.benchmarks_of_the_run(config),
    output:
        facts="results/facts.json",
    log:
        "logs/collect_run_facts.log",
    conda:
        "../envs/report.yaml"
    params:
        code=CODE["collect_run_facts.py"],
        config=by_wildcards(report_jobs.merged_config),
        records=data_jobs.records(config),
        training_rows=by_choice(report_jobs.training_row_flags),
        base=by_wildcards(report_jobs.base_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/collect_run_facts.py \
            --config {params.config:q} \
            --data {input.data:q} \
            --models {input.models:q} \
            --benchmarks {input.benchmarks:q} \
            --records {params.records:q} \
            {params.training_rows:q} \
            {params.base:q} \
            --suite {input.suite:q} \
            --output {output.facts:q} \
            >{log:q} 2>&1
        """


rule write_model_cards:
    input:
        facts="results/facts.json",
        training=collect("results/{replicate}/train.json", replicate=TRAINED),
        metrics=collect("results/{replicate}/metrics.json", replicate=TRAINED),
        verdicts=collect("results/{replicate}/verdicts.jsonl", replicate=TRAINED),
    output:
        cards=collect("results/{replicate}/model_card.md", replicate=TRAINED),
        losses=collect("results/{replicate}/loss.svg", replicate=TRAINED),
    log:
        "logs/write_model_cards.log",
    conda:
        "../envs/report.yaml"
    params:
        code=CODE["write_model_cards.py"],
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/write_model_cards.py \
            --run-facts {input.facts:q} \
            --training {input.training:q} \
            --metrics {input.metrics:q} \
            --verdicts {input.verdicts:q} \
            --output {output.cards:q} \
            --losses {output.losses:q} \
            >{log:q} 2>&1
        """


rule write_report:
    input:
        **report_jobs.results_of_all_variants(config),
        questions=data_jobs.asked_questions(config),
        databases=data_jobs.databases_of(config, "test"),
        rows=collect("results/{replicate}/rows.jsonl", replicate=REPLICATES),
        unrepaired=collect(
            "results/{replicate}/unrepaired_verdicts.jsonl",
            replicate=generation_jobs.repaired(config),
        ),
        prompts=by_choice(report_jobs.prompts_as_asked),
        facts="results/facts.json",
        # Not read: whoever asks for the report gets the cards, the means over seeds, what `sqladder ask` needs and what trackers show with it.
        cards=collect("results/{replicate}/model_card.md", replicate=TRAINED),
        # Nor this: it refuses a choice by questions of the test.
        validation=data_jobs.validation_check(config),
        means=collect("results/{variant}/metrics.json", variant=SEVERAL_SEEDS),
        asking=collect("results/{replicate}/asking.json", replicate=GENERATED),
        tracked=tracking_jobs.tracked_files(config),
        marks=report_jobs.marked_questions(config),
        gold_checks=report_jobs.checked_gold(config),
        published=report_jobs.published_file(config),
        curves=collect(
            "results/{variant}/learning_curve.json",
            variant=curve_points.with_curve(config),
        ),
    output:
        report="results/report.md",
        page="results/report.html",
        csv="results/metrics.csv",
        pairs="results/pairs.csv",
        results="results/results.json",
        record="results/run.json",
        failures="results/failures.jsonl",
        charts=[
            report(
                "results/charts/ranking.svg",
                caption="../report/ranking.rst",
                category="Accuracy",
                labels={"chart": "ranking"},
            ),
            report(
                "results/charts/accuracy_by_level.svg",
                caption="../report/accuracy_by_level.rst",
                category="Accuracy",
                labels={"chart": "by level"},
            ),
            report(
                "results/charts/paired_differences.svg",
                caption="../report/paired_differences.rst",
                category="Accuracy",
                labels={"chart": "paired differences"},
            ),
            report(
                "results/charts/accuracy_by_database.svg",
                caption="../report/accuracy_by_database.rst",
                category="Accuracy",
                labels={"chart": "by database"},
            ),
            report(
                "results/charts/errors.svg",
                caption="../report/errors.rst",
                category="Failures",
                labels={"chart": "what went wrong"},
            ),
            report(
                "results/charts/loss_curves.svg",
                caption="../report/loss_curves.rst",
                category="Training",
                labels={"chart": "loss curves"},
            ),
            report(
                "results/charts/reward_curves.svg",
                caption="../report/reward_curves.rst",
                category="Training",
                labels={"chart": "learning by reward"},
            ),
            report(
                "results/charts/validation_curves.svg",
                caption="../report/validation_curves.rst",
                category="Training",
                labels={"chart": "checkpoints"},
            ),
            report(
                "results/charts/candidates.svg",
                caption="../report/candidates.rst",
                category="Training",
                labels={"chart": "candidates of sweeps"},
            ),
            report(
                "results/charts/learning_curves.svg",
                caption="../report/learning_curves.rst",
                category="Training",
                labels={"chart": "learning curves"},
            ),
            report(
                "results/charts/cost_vs_accuracy.svg",
                caption="../report/cost_vs_accuracy.rst",
                category="Training",
                labels={"chart": "training time and accuracy"},
            ),
            report(
                "results/charts/samples_vs_cost.svg",
                caption="../report/samples_vs_cost.rst",
                category="Answers",
                labels={"chart": "samples, time and accuracy"},
            ),
            "results/charts/ranking.png",
            "results/charts/ranking_narrow.svg",
            "results/charts/accuracy_by_level_narrow.svg",
            "results/charts/paired_differences_narrow.svg",
            "results/charts/accuracy_by_database_narrow.svg",
            "results/charts/errors_narrow.svg",
            "results/charts/loss_curves_narrow.svg",
            "results/charts/reward_curves_narrow.svg",
            "results/charts/validation_curves_narrow.svg",
            "results/charts/candidates_narrow.svg",
            "results/charts/learning_curves_narrow.svg",
            "results/charts/cost_vs_accuracy_narrow.svg",
            "results/charts/samples_vs_cost_narrow.svg",
            "results/charts/accuracy_by_level.png",
            "results/charts/paired_differences.png",
            "results/charts/accuracy_by_database.png",
            "results/charts/errors.png",
            "results/charts/loss_curves.png",
            "results/charts/reward_curves.png",
            "results/charts/validation_curves.png",
            "results/charts/candidates.png",
            "results/charts/learning_curves.png",
            "results/charts/cost_vs_accuracy.png",
            "results/charts/samples_vs_cost.png",
        ],
    log:
        "logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 2
    params:
        code=CODE["write_report.py"],
        dialect=native_jobs.dialect_flags(config),
        flags=by_wildcards(report_jobs.report_flags),
    shell:
        r"""
        python "$SQLADDER_SCRIPTS"/write_report.py \
            --questions {input.questions:q} \
            --verdicts {input.verdicts:q} \
            --metrics {input.metrics:q} \
            --predictions {input.predictions:q} \
            --databases {input.databases:q} \
            {params.dialect:q} \
            --failures {output.failures:q} \
            --rows {input.rows:q} \
            --unrepaired {input.unrepaired:q} \
            --prompts {input.prompts:q} \
            --training {input.training:q} \
            --generation {input.generation:q} \
            --samples {input.samples:q} \
            --learning-curves {input.curves:q} \
            --run-facts {input.facts:q} \
            --charts results/charts \
            --jobs {threads} \
            {params.flags:q} \
            --report {output.report:q} \
            --page {output.page:q} \
            --csv {output.csv:q} \
            --pairs {output.pairs:q} \
            --results {output.results:q} \
            --record {output.record:q} \
            >{log:q} 2>&1
        """

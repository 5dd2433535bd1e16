"""What the process of a training by reward does: draw, judge and train step by step; then write the model."""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from sqladder.errors import LOG
from sqladder.files import read_jsonl, write_json
from sqladder.generation import tokens
from sqladder.generation.settings import DecodingSettings
from sqladder.metric.inputs import read_gold
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Task
from sqladder.metric.suite import Options
from sqladder.models.device import device_name, number_format
from sqladder.models.network import load_network
from sqladder.models.turns import read_turns
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.reinforcement.answer_judge import AnswerJudge
from sqladder.reinforcement.curves import reinforcement_facts
from sqladder.reinforcement.drawing_order import planned_drawings, question_order
from sqladder.reinforcement.engine_answers import EngineAnswers
from sqladder.reinforcement.live_answers import LiveAnswers
from sqladder.reinforcement.policy_trainer import AskedQuestions, PolicyAnswers, PolicyTrainer
from sqladder.reinforcement.reward_log import RewardLog
from sqladder.reinforcement.reward_progress import RewardProgress
from sqladder.reinforcement.rewards import Parts
from sqladder.reinforcement.settings import RIGHT, AnyReinforced, ReinforcedFull, ReinforcedLora
from sqladder.reinforcement.step_clock import StepClock
from sqladder.reinforcement.trl_import import GRPOConfig
from sqladder.training import llamafactory
from sqladder.training.checkpoint_choice import CheckpointJudge, TrainingOverError, Validation
from sqladder.training.checkpoints import LOG_FILE, complete_checkpoints
from sqladder.training.disk import check_room
from sqladder.training.faults import is_out_of_memory
from sqladder.training.launch import FACTS_FILE
from sqladder.training.loss_guard import LoggedLossGuard
from sqladder.training.nested_sample import nested_sample
from sqladder.training.processes import devices_beside
from sqladder.training.progress import silence_trainer
from sqladder.training.record import training_facts
from sqladder.training.rounds import say_of_one_file
from sqladder.training.run import report_out_of_memory, run_training, write_model
from sqladder.training.watch import TrainingWatch

Reinforced = ReinforcedFull | ReinforcedLora
# Of LLaMA-Factory's arguments, those that are the Trainer's own and mean the same here.
_SHARED = (
    *("output_dir", "learning_rate", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps"),
    *(
        "weight_decay",
        "optim",
        "seed",
        "data_seed",
        "bf16",
        "use_cpu",
        "per_device_train_batch_size",
    ),
    *("gradient_accumulation_steps", "logging_steps", "logging_nan_inf_filter", "save_steps"),
    *("save_total_limit", "report_to"),
)


def run_job(job: Path) -> None:
    """Train what a job file says.

    Raises:
        InputError: the disk is full, memory does not hold the model, gold fails, or the loss is not finite.
    """
    run_training(job, AnyReinforced, _train_and_write)


def _train_and_write(
    what: dict[str, Any], settings: Reinforced, base_model: Path, work_folder: Path
) -> None:
    asked = _asked(what, settings, base_model)
    try:
        _train(what, settings, base_model, work_folder, asked)
    finally:
        asked.drawing.close()
        asked.judge.close()


def _asked(what: dict[str, Any], settings: Reinforced, base_model: Path) -> AskedQuestions:
    """The questions as they are asked and judged."""
    asked = read_jsonl(Path(what["data"]), PROMPT_FIELDS)
    rows = nested_sample(asked, settings.share_of_rows, settings.seed)
    encoded = tokens.encode(base_model, rows, settings.drawn.max_new_tokens)
    own = settings.reinforcement
    decoding = DecodingSettings(
        **settings.drawn.model_dump(),
        samples=own.samples,
        temperature=own.temperature,
        top_p=1.0,
        repetition_penalty=1.0,
        seed=settings.seed,
    )
    judging = what["judging"]
    kept = judging["gold_results"]
    task = Task(
        Path(judging["databases"]),
        Options(repairs=QUIRKS[judging["quirks"]]),
        Limits(**judging["limits"]),
        what["judging_jobs"],
        gold_results=kept and Path(kept),
    )
    ids = [row["id"] for row in rows]
    known = set(ids)
    items = [item for item in read_gold(Path(judging["examples"])).items if item.id in known]
    return AskedQuestions(
        ids,
        encoded.prompts,
        decoding,
        _answers(settings, base_model, encoded, decoding),
        AnswerJudge(items, task),
        lambda answers: read_turns(base_model).tokenizer.batch_decode(
            answers, skip_special_tokens=True
        ),
    )


def _answers(
    settings: Reinforced, base_model: Path, encoded: tokens.Encoded, decoding: DecodingSettings
) -> PolicyAnswers:
    if decoding.engine == "transformers":
        return LiveAnswers(encoded.end_tokens)
    longest = max(map(len, encoded.prompts)) + decoding.max_new_tokens
    return EngineAnswers(base_model, longest, settings.answers_a_step, decoding, devices_beside())


def _train(
    what: dict[str, Any],
    settings: Reinforced,
    base_model: Path,
    work_folder: Path,
    asked: AskedQuestions,
) -> None:
    own, at_once = settings.reinforcement, settings.questions_a_step
    most = own.steps and own.steps // own.updates
    drawings = planned_drawings(len(asked.ids), at_once, settings.epochs, most)
    order = question_order(len(asked.ids), at_once, drawings, settings.seed)
    steps = drawings * own.updates
    watch, clock = TrainingWatch(saves_last=settings.choose == "validation"), StepClock()
    # To the Trainer all drawings are one pass.
    passes = drawings * at_once / len(asked.ids)
    log = RewardLog(work_folder / LOG_FILE, epochs=passes)
    callbacks: list[Any] = [watch, LoggedLossGuard()]
    validation = None
    if settings.choose == "validation":
        judge = CheckpointJudge(what["judge"])
        validation = Validation(settings, judge, watch, work_folder, passes)
        callbacks.append(validation)
    check_room(settings, base_model, work_folder, steps)
    # Its import comes with patches of its own, and it exports the model.
    _, export = llamafactory.load_llamafactory(work_folder)
    silence_trainer()
    LOG.info(
        f"training by reward: {own.samples} answers to each of {at_once} of {len(asked.ids)} questions a step, "
        f"{steps} steps on {device_name()}"
    )
    judged_on = asked.judge.databases()
    say_of_one_file(judged_on)
    turns = read_turns(base_model)
    turns.tokenizer.pad_token = turns.tokenizer.convert_ids_to_tokens(turns.pad)
    trainer = PolicyTrainer(
        asked,
        clock,
        Parts(RIGHT, own.rewards.runs, own.rewards.select),
        model=load_network(base_model, number_format() if settings.lora else "float32").train(),
        args=GRPOConfig(**_arguments(settings, base_model, work_folder, steps)),
        train_dataset=Dataset.from_dict({"prompt": [str(place) for place in order]}),
        processing_class=turns.tokenizer,
        callbacks=[*callbacks, RewardProgress(), log, clock],
        peft_config=_adapters(settings),
    )
    try:
        trainer.train(resume_from_checkpoint=bool(complete_checkpoints(work_folder)))
    except TrainingOverError:
        pass
    except Exception as error:
        if is_out_of_memory(error):
            report_out_of_memory(error, watch, work_folder)
        raise
    trained = work_folder / "run"
    if validation:
        trained /= f"checkpoint-{validation.chosen.step}"
    else:
        trainer.save_model()
    seen = trainer.state.num_input_tokens_seen
    history = trainer.state.log_history
    # Its memory is needed to write the model.
    del trainer
    write_model(settings, base_model, Path(what["output"]), trained, export)
    drawn = watch.steps // own.updates
    epochs = drawn * at_once / len(asked.ids)
    gpus = settings.parallelism.gpus + settings.gpus_beside
    facts = {
        "settings": settings.model_dump(exclude_none=True),
        "method": settings.described,
        "rows": len(asked.ids),
        "gpus": gpus,
        "nodes": 1,
        **training_facts(watch, round(epochs, 4), int(seen), base_model),
        "gpu_hours": round(gpus * watch.seconds / 3600, 6) if torch.cuda.is_available() else 0.0,
        "steady_rows_per_second": None,
        "steady_tokens_per_second": None,
        "log": log.rows,
        "learning": reinforcement_facts(history, own, at_once, drawn, judged_on),
    }
    if validation:
        facts["validation"] = validation.finish()
    write_json(work_folder / FACTS_FILE, facts)
    LOG.info(f"trained {watch.steps} steps in {watch.seconds:.1f} s")


def _adapters(settings: Reinforced) -> Any:
    if settings.lora is None:
        return None
    from peft import LoraConfig

    lora = settings.lora
    listed = lora.target_modules
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=listed[0] if listed == [llamafactory.ALL_LINEAR] else listed,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        task_type="CAUSAL_LM",
    )


def _arguments(
    settings: Reinforced, base_model: Path, work_folder: Path, steps: int
) -> dict[str, Any]:
    """The arguments of TRL's trainer, by the names that it documents."""
    own = settings.reinforcement
    usual = llamafactory.training_arguments(settings, base_model, work_folder, steps)
    return {name: usual[name] for name in _SHARED if name in usual} | {
        "max_steps": steps,
        # The order of all steps is known before, and is the same when a killed training goes on.
        "shuffle_dataset": False,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "remove_unused_columns": False,
        "num_generations": own.samples,
        "max_prompt_length": None,
        "max_completion_length": settings.drawn.max_new_tokens,
        "temperature": own.temperature,
        "beta": own.beta,
        "num_iterations": own.updates,
        "epsilon": own.epsilon,
        "epsilon_high": own.epsilon_high,
        "loss_type": own.loss,
        "scale_rewards": "none" if own.loss == "dr_grpo" else "group",
        "use_vllm": False,
    }

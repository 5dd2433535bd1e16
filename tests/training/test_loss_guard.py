"""A loss that is not finite stops the training at its step and names its rows, logged or not."""

import math
from types import SimpleNamespace

import pytest
import torch
from transformers import Trainer, TrainingArguments

import toy_models
from sqladder.models.turns import Turns
from sqladder.training.fused import fuse_step
from sqladder.training.loss_guard import LoggedLossGuard, LossError, LossGuard
from sqladder.training.packing import PackedLimits, pack, token_row
from sqladder.training.pairs import IGNORED, token_pairs
from sqladder.training.row_names import members, row_names, write_row_names
from sqladder.training.watch import TrainingWatch

ROWS = toy_models.rows(16)
LONGEST = 400
BROKEN = 5  # the row whose loss is not a number


@pytest.fixture(scope="module")
def pairs():
    return token_pairs(Turns(toy_models.tokenizer()), ROWS, None)


class Rows(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, place):
        return self.rows[place]


def padded(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    fill = {"input_ids": 0, "labels": IGNORED, "attention_mask": 0, "position_ids": 0}
    return {
        name: torch.tensor([row[name] + [fill[name]] * (longest - len(row[name])) for row in rows])
        for name in rows[0]
    }


def break_at(model, ids, value):
    """Make the loss of every batch with these token ids `value`."""
    text = ",".join(map(str, ids))

    def breaking(module, args, given, output):
        if any(text in ",".join(map(str, row)) for row in given["input_ids"].tolist()):
            output.loss = output.loss * value
        return output

    model.register_forward_hook(breaking, with_kwargs=True)


def train(model, rows, folder, **arguments):
    watch = TrainingWatch()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder / "run"),
            per_device_train_batch_size=2,
            gradient_accumulation_steps=2,
            max_steps=4,
            learning_rate=1e-3,
            lr_scheduler_type="constant",
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            logging_nan_inf_filter=False,
            **arguments,
        ),
        train_dataset=Rows(rows),
        data_collator=padded,
        callbacks=[watch, LossGuard(folder)],
    )
    # In the order of the file: steps of four rows.
    trainer._get_train_sampler = lambda dataset: torch.utils.data.SequentialSampler(dataset)
    trainer.train()
    return trainer


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("logging", [1, 50])
def test_the_step_and_the_rows_of_a_broken_loss_are_named(pairs, tmp_path, logging, value):
    write_row_names(tmp_path, ROWS, pairs)
    model = toy_models.untrained()
    break_at(model, pairs[BROKEN][0] + pairs[BROKEN][1], value)
    with pytest.raises(LossError) as caught:
        train(model, [token_row(pair) for pair in pairs], tmp_path, logging_steps=logging)
    message = str(caught.value)
    # The sixth row is in the first half of the second step, with the fifth.
    assert f"the loss is {value} at step 2 of 4, in 1 of its 2 batches" in message
    assert "learning rate of 0.001; rows: q4, q5. " in message
    assert caught.value.step == 2


def test_no_checkpoint_is_written_of_a_broken_step(pairs, tmp_path):
    write_row_names(tmp_path, ROWS, pairs)
    model = toy_models.untrained()
    break_at(model, pairs[BROKEN][0] + pairs[BROKEN][1], math.nan)
    with pytest.raises(LossError):
        train(
            model,
            [token_row(pair) for pair in pairs],
            tmp_path,
            logging_steps=50,
            save_steps=1,
        )
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["checkpoint-1"]


def test_a_sound_training_is_left_alone(pairs, tmp_path):
    trainer = train(toy_models.untrained(), [token_row(pair) for pair in pairs], tmp_path)
    assert trainer.state.global_step == 4
    assert not trainer.model._forward_hooks


def test_the_members_of_packed_rows_are_named(pairs, tmp_path):
    write_row_names(tmp_path, ROWS, pairs)
    model = toy_models.untrained()
    rows = pack(pairs, 2 * LONGEST, LONGEST, 0, seed=1)
    fuse_step(model, PackedLimits.of(rows, LONGEST, len(rows)))
    answer = pairs[BROKEN][1]
    break_at(model, answer, math.nan)
    with pytest.raises(LossError) as caught:
        train(model, rows, tmp_path, logging_steps=50)
    named = str(caught.value).partition("rows: ")[2].partition(". If")[0].split(", ")
    assert "q5" in named
    assert "unknown" not in named
    assert len(named) == len(set(named))


def test_padding_is_no_row(pairs):
    batch = padded([token_row(pair) for pair in pairs[:3]])
    found = [row.tolist() for row in members(batch)]
    assert found == [prompt + answer for prompt, answer in pairs[:3]]
    packed = padded(pack(pairs, 4 * LONGEST, LONGEST, 0, seed=1))
    found = sorted(row.tolist() for row in members(packed))
    assert found == sorted(prompt + answer for prompt, answer in pairs)


def test_rows_without_ids_go_by_their_number(pairs, tmp_path):
    rows = [{"messages": row["messages"]} for row in ROWS]
    write_row_names(tmp_path, rows, pairs)
    assert row_names(tmp_path, [prompt + answer for prompt, answer in pairs[:2]]) == "1, 2"
    assert row_names(tmp_path, [[1, 2, 3]]) == "unknown"


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["loss", "grad_norm"])
def test_what_is_logged_and_not_finite_stops_the_training_with_its_step(name, value):
    arguments, state = (
        SimpleNamespace(learning_rate=0.5),
        SimpleNamespace(global_step=7, max_steps=9),
    )
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.25}])
    guard = LoggedLossGuard()
    guard.on_step_begin(arguments, state, None, optimizer=optimizer)
    guard.on_log(arguments, state, None, logs={"loss": 0.1})
    logs = {"loss": 0.1, "grad_norm": 1.0} | {name: value}
    with pytest.raises(
        LossError, match=rf"is {value} at step 7 of 9.* of 0.25\. .*below 0.5"
    ) as caught:
        guard.on_log(arguments, state, None, logs=logs)
    assert caught.value.step == 7
    guard.rows_of_step = lambda step: f"those of {step}"
    with pytest.raises(LossError, match=r"of 0.25; rows: those of 7\. "):
        guard.on_log(arguments, state, None, logs=logs)

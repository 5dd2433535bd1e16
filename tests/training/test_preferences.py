"""Learning from right and wrong answers, in pairs or each by itself, through LLaMA-Factory's own stages."""

import pytest
import torch
from transformers import AutoModelForCausalLM

import toy_models
from sqladder.files import read_json, read_jsonl, write_jsonl
from sqladder.models.turns import read_turns
from sqladder.prompts import rendering
from sqladder.settings.problems import settings_of
from sqladder.training.labelled_answers import LabelledAnswer, labelled_answers, labelled_rows
from sqladder.training.llamafactory import training_arguments
from sqladder.training.packing import read_token_rows
from sqladder.training.pairs import IGNORED
from sqladder.training.preferences import Preferred
from sqladder.training.settings import AnyTraining
from training_here import train_on

SETTINGS = {
    "method": "full",
    "cutoff_length": 512,
    "learning_rate": 1e-3,
    "warmup": 0.0,
    "epochs": 8.0,
    "batch_size": 16,
    "gradient_accumulation": 1,
    "seed": 1,
}
LORA = {**toy_models.LORA, "learning_rate": 1e-2}
PROMPT = [1, 2]


def settings(loss, **keys):
    own = {
        key: value
        for key, value in keys.items()
        if key in ("beta", "chosen_weight", "rejected_weight")
    }
    others = {key: value for key, value in keys.items() if key not in own}
    return settings_of(AnyTraining, {**SETTINGS, **others, "preference": {"loss": loss, **own}})


@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "ipo", "orpo", "simpo"])
def test_a_loss_of_pairs_is_the_stage_of_pairs(tmp_path, loss):
    found = training_arguments(settings(loss, beta=0.5), tmp_path, tmp_path, 10)
    assert (found["stage"], found["pref_loss"], found["pref_beta"]) == ("dpo", loss, 0.5)


def test_kto_is_a_stage_of_its_own_with_weights_of_right_and_wrong_answers(tmp_path):
    found = training_arguments(settings("kto", rejected_weight=0.5), tmp_path, tmp_path, 10)
    assert (found["stage"], found["pref_beta"]) == ("kto", 0.1)
    assert (found["kto_chosen_weight"], found["kto_rejected_weight"]) == (1.0, 0.5)
    assert "pref_loss" not in found


def test_each_answer_of_some_pairs_is_learned_once():
    right, wrong, worse = ((PROMPT, [token]) for token in (3, 4, 5))
    other = ([1, 9], [3])
    pairs = [Preferred(right, wrong), Preferred(right, worse), Preferred(other, wrong)]
    found = labelled_answers(pairs)
    assert found == [
        LabelledAnswer(right, True),
        LabelledAnswer(wrong, False),
        LabelledAnswer(worse, False),
        LabelledAnswer(other, True),
    ]


def test_beside_an_answer_stands_one_of_another_question_with_its_prompt():
    answers = [LabelledAnswer(([n, n], [10 + n]), n % 2 == 0) for n in range(4)]
    first, second, *_ = labelled_rows(answers)
    assert first["input_ids"] == [0, 0, 10]
    assert first["kl_input_ids"] == [0, 0, 12]
    assert second["kl_input_ids"] == [1, 1, 13]
    assert second["kl_labels"] == [IGNORED, IGNORED, 13]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four questions with three pairs each: one right answer, three wrong ones."""
    rows = [
        {
            "id": f"{row['id']} pair {number}",
            "messages": row["messages"][:-1],
            "chosen": row["messages"][-1]["content"],
            "rejected": f"SELECT {number}",
            "wrong_by": "rows",
        }
        for row in toy_models.rows(4)
        for number in range(3)
    ]
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    write_jsonl(path, rows)
    return path


def margin(model, data):
    """By how much right answers are likelier than wrong ones, in nats a token."""
    return (likelihoods(model, data, "chosen") - likelihoods(model, data, "rejected")).mean()


def likelihoods(model, data, side):
    """Mean log probability of the tokens of each answer of one side, which orpo and simpo compare."""
    turns = read_turns(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    found = []
    for row in read_jsonl(data, {}):
        messages = [*row["messages"], {"role": "assistant", "content": row[side]}]
        prompt, answer = (
            rendering.prompt_ids(turns, messages),
            rendering.answer_ids(turns, messages),
        )
        with torch.no_grad():
            logits = network(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        chosen = logits.log_softmax(-1)[torch.arange(len(answer)), torch.tensor(answer)]
        found.append(chosen.mean().item())
    return torch.tensor(found)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("loss", ["sigmoid", "orpo", "simpo"])
def test_a_loss_of_pairs_makes_right_answers_likelier_than_wrong_ones(base, data, tmp_path, loss):
    facts = train_on(tmp_path, base, settings(loss), data)
    assert (facts["method"], facts["rows"], facts["steps"]) == (f"dpo ({loss}), full", 12, 8)
    assert facts["final_loss"] < facts["loss_curve"][0][1]
    assert margin(tmp_path / "model", data) > margin(base, data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [{}, pytest.param(LORA, marks=pytest.mark.long)], ids=["full", "lora"]
)
def test_kto_makes_right_answers_likelier_than_wrong_ones(base, data, tmp_path, method):
    own = settings("kto", chosen_weight=3.0, rejected_weight=1.0, **method)
    facts = train_on(tmp_path, base, own, data)
    assert facts["method"].startswith("dpo (kto), ")
    # Four right answers and twelve wrong ones, all in one batch.
    assert (facts["rows"], facts["steps"]) == (16, 8)
    labels = [row["kto_tags"] for row in read_token_rows(tmp_path / "work/data", 0, 16)]
    assert labels.count(True) == 4
    # Before the first step nothing is preferred: each answer's loss is half its weight.
    assert facts["loss_curve"][0][1] == pytest.approx((4 * 3 + 12 * 1) / 16 / 2, abs=1e-3)
    assert facts["final_loss"] < facts["loss_curve"][0][1] - 0.01
    assert margin(tmp_path / "model", data) > margin(base, data)
    assert read_json(tmp_path / "work/rows.json")[0] == 16

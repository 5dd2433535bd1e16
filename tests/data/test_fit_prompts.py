"""Lengths of training rows: counted as the tokenizer counts; rows over the cutoff are dropped or cut, and told."""

import json
import lzma
import shutil
import subprocess
import sys
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fit_prompts
from conftest import ROOT
from published_texts import USER_TEMPLATE, published_messages, published_prompt
from sqladder.data.lengths import Fitter, Lengths, histogram_edges, largest
from sqladder.demo.base_model import CHAT_TEMPLATE
from sqladder.errors import InputError
from sqladder.files import read_jsonl
from sqladder.prompts.rendering import row_length


class Words:
    """Turns whose tokens are the words of a text."""

    def prompt_ids(self, messages):
        return " ".join(message["content"] for message in messages).split()

    def answer_ids(self, answer):
        return answer.split()


def row(key, schema_words, question="Which one?"):
    schema = "\n".join(f"column{n}" for n in range(schema_words))
    prompt = published_prompt(schema, question, "SELECT 1", system_text="Write SQL.")
    return {"id": key, **prompt._asdict()}


# Beside the schema: 2 words of the system, [SCHEMA], [QUESTION], 2 of the question, 2 of the answer and its end.
FIXED = 8
ROWS = [row("short", 2), row("exact", 12), row("long", 13), row("longest", 500)]


def fit(over, rows=ROWS, cutoff=FIXED + 12):
    fitter = Fitter(partial(row_length, Words()), cutoff, over)
    return list(fitter.fit(rows)), fitter.lengths


def test_longer_rows_are_dropped_and_counted():
    kept, lengths = fit("drop")
    assert [each["id"] for each in kept] == ["short", "exact"]
    facts = lengths.facts(FIXED + 12)
    assert (facts["rows"], facts["over_cutoff"], facts["dropped"], facts["cut"]) == (4, 2, 2, 0)


def test_longer_rows_lose_the_end_of_their_schema_and_nothing_else():
    kept, lengths = fit("cut")
    assert [each["id"] for each in kept] == ["short", "exact", "long", "longest"]
    assert [each["messages"] for each in kept[:2]] == [each["messages"] for each in ROWS[:2]]
    schema = "\n".join(f"column{n}" for n in range(12))
    for each in kept[2:]:
        assert each["messages"][0] == ROWS[0]["messages"][0]
        assert each["messages"][1]["content"] == f"[SCHEMA]\n{schema}\n[QUESTION]\nWhich one?"
        assert each["messages"][2]["content"] == "SELECT 1"
    assert (lengths.cut, lengths.dropped) == (2, 0)


def test_a_row_that_is_too_long_without_any_schema_is_dropped_and_counted():
    kept, lengths = fit("cut", [row("short", 1), row("wordy", 3, "word " * 50)])
    assert [each["id"] for each in kept] == ["short"]
    assert (lengths.cut, lengths.dropped) == (0, 1)


def test_the_run_can_stop_at_the_first_longer_row():
    with pytest.raises(InputError, match="'long' has 21 tokens, more than the cutoff length of 20"):
        fit("stop")


@pytest.mark.parametrize(("kept", "least"), [(1, 0.5), (0, 0), (99, 0.995)])
def test_too_few_rows_are_refused_with_what_they_are_and_the_keys(kept, least):
    lengths = Lengths()
    lengths.tokens.update(range(1, 101))
    with pytest.raises(
        InputError, match=f"^{kept} of 100 training rows fit .* of 50 tokens"
    ) as error:
        fit_prompts.check_left(kept, lengths.facts(50), least)
    for said in ("training.least_rows", "longest has 100", "cutoff_length", "over_cutoff"):
        assert said in str(error.value)


def test_as_many_rows_as_asked_for_are_enough():
    lengths = Lengths()
    lengths.tokens.update(range(1, 101))
    fit_prompts.check_left(50, lengths.facts(50), 0.5)


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=200))
def test_the_histogram_holds_every_row_once(values):
    lengths = Lengths()
    lengths.tokens.update(values)
    histogram = lengths.facts(10)["histogram"]
    assert sum(histogram["rows"]) == len(values)
    widths = {b - a for a, b in zip(histogram["edges"], histogram["edges"][1:], strict=False)}
    assert len(widths) == 1
    assert histogram["edges"][-1] > max(values)


def test_edges_of_short_rows():
    assert histogram_edges(1) == [0, 1, 2]


def test_statistics_are_those_of_the_rows():
    lengths = Lengths()
    lengths.tokens.update(range(1, 101))
    tokens = lengths.facts(95)["tokens"]
    assert tokens["total"] == 5050
    assert (tokens["shortest"], tokens["longest"], tokens["mean"]) == (1, 100, 50.5)
    assert (tokens["p95"], tokens["p99"]) == (95, 99)
    assert lengths.facts(95)["over_cutoff"] == 5


SCHEMA = "\n".join(f"column{n}" for n in range(40))
PARTS = {
    "values": "city: 'Paris'\ncity: 'Oslo'",
    "examples": "Schema?\n[QUESTION]\nWhich [SCHEMA]?\nSELECT 2",
    "evidence": "Cities\n[QUESTION]\nare places",
}


@pytest.mark.parametrize(
    "template",
    [
        USER_TEMPLATE,
        "{schema}\n{values}\n{examples}\n{evidence}\n{question}",
        "{examples}\n{question}\n{schema}\n{values}",
        "{question}{values} {schema}",
        "{schema} {question} {schema}",
    ],
)
@pytest.mark.parametrize("question", ["Which one?", "Which?\n\n[QUESTION]\nThis one\n?"])
def test_nothing_but_the_schema_is_cut_wherever_it_stands(template, question):
    prompt = published_prompt(SCHEMA, question, "SELECT 1", user_template=template, parts=PARTS)
    whole = {"id": "q", **prompt._asdict()}
    none = published_messages("", question, "SELECT 1", user_template=template, parts=PARTS)
    without = row_length(Words(), none)
    for words in (0, 7):
        times = template.count("{schema}")
        [fitted], lengths = fit("cut", [whole], cutoff=without + times * words)
        short = "\n".join(f"column{n}" for n in range(words))
        wanted = published_messages(
            short, question, "SELECT 1", user_template=template, parts=PARTS
        )
        assert fitted == {"id": "q", "messages": wanted}
        assert (lengths.cut, lengths.dropped) == (1, 0)
    assert fit("cut", [whole], cutoff=without - 1)[0] == []


@given(st.integers(-1, 50), st.integers(0, 50))
def test_largest_finds_where_a_condition_ends(last, most):
    assert largest(lambda n: n <= last, most) == (None if last < 0 else min(last, most))


def run(folder, over, cutoff):
    (folder / "p.jsonl").write_text("".join(json.dumps(each) + "\n" for each in ROWS))
    return subprocess.run(
        [
            *(
                sys.executable,
                ROOT / "workflow/scripts/fit_prompts.py",
                "--prompts",
                folder / "p.jsonl",
            ),
            *("--tokenizer", folder.parent / "tokenizer", "--cutoff-length", str(cutoff)),
            *("--over-cutoff", over),
            *("--output", folder / "out.jsonl", "--facts", folder / "lengths.json"),
            *("--chart", folder / "lengths.svg"),
        ],
        capture_output=True,
        text=True,
    )


def test_the_program_writes_rows_statistics_and_a_chart(tmp_path, qwen3):
    tokenizer = tmp_path / "tokenizer"
    shutil.copytree(qwen3, tokenizer)
    text = lzma.decompress((tokenizer / "tokenizer.json.xz").read_bytes())
    tokenizer.chmod(0o755)
    (tokenizer / "tokenizer.json").write_bytes(text)
    (tokenizer / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    folder = tmp_path / "run"
    folder.mkdir()
    done = run(folder, "cut", 80)
    assert done.returncode == 0, done.stderr
    assert len(read_jsonl(folder / "out.jsonl")) == 4
    facts = json.loads((folder / "lengths.json").read_text())
    assert facts["over_cutoff"] == facts["cut"] == 1
    assert "4 rows" in done.stderr
    chart = (folder / "lengths.svg").read_bytes()
    assert b"1 of 4 rows are longer" in chart
    # The same bytes in another process.
    fit_prompts.save(fit_prompts.draw(facts), facts, folder / "again.svg")
    assert (folder / "again.svg").read_bytes() == chart

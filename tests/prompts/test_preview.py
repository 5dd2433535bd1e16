"""The preview: three whole prompts of each context, counted by the model's tokenizer."""

import json
import runpy
import sys
from unittest.mock import patch

import pytest

import toy_models
from conftest import ROOT
from sqladder.models.turns import read_turns
from sqladder.prompts.rendering import prompt_ids

PROGRAM = str(ROOT / "workflow/scripts/preview.py")


@pytest.fixture
def previewed(tmp_path):
    def preview(**contexts):
        paths = []
        for name, questions in contexts.items():
            paths.append(tmp_path / name / "test.jsonl")
            paths[-1].parent.mkdir()
            rows = [
                {"id": f"q{n}", "messages": [{"role": "user", "content": text}]}
                for n, text in enumerate(questions)
            ]
            paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
        model, output = toy_models.save_base(tmp_path / "model"), tmp_path / "preview.md"
        arguments = ["preview.py", "--prompts", *paths, "--model", model, "--output", output]
        with patch.object(sys, "argv", list(map(str, arguments))):
            runpy.run_path(PROGRAM, run_name="__main__")
        return output.read_text()

    return preview


def test_shortest_median_and_longest_prompts_are_shown_whole_with_their_tokens(previewed, tmp_path):
    questions = ["pet " * 9, "pet", "pet flight pet", "pet flight singer pet", "pet flight"]
    text = previewed(plain=questions)
    turns = read_turns(tmp_path / "model")
    sizes = [
        len(prompt_ids(turns, [{"role": "user", "content": question}])) for question in questions
    ]
    assert f"| plain | 5 | {min(sizes)} | {sizes[2]} | {max(sizes)} |" in text
    for title, number in (("shortest", 1), ("median", 2), ("longest", 0)):
        assert f"### plain, {title}: `q{number}`, {sizes[number]} tokens" in text
        assert f"<|im_start|>user\n{questions[number]}<|im_end|>" in text


def test_every_context_has_its_section(previewed):
    text = previewed(a=["pet"], b=["flight"])
    assert text.index("## a\n") < text.index("## b\n")
    assert text.count("```text\n") == 6


def test_a_code_block_in_a_prompt_does_not_end_the_previews(previewed):
    text = previewed(a=["use ````sql\nSELECT 1\n````"])
    assert "`````text\n" in text
    assert text.count("\n`````\n") == 3


def test_a_file_without_prompts_is_an_error(previewed):
    with pytest.raises(SystemExit, match="holds no prompt to show"):
        previewed(empty=[])

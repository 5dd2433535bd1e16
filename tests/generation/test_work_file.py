"""What a generation has finished stays on disk, and is not asked for again."""

import pytest

from sqladder.generation.answering import Questioner
from sqladder.generation.contract import Completion
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.work_file import WorkFile
from toy_models import GREEDY

SETTINGS = {"temperature": 0}


def test_rows_are_found_again_by_their_keys_with_the_seconds_that_they_took(tmp_path):
    path = tmp_path / "predictions.jsonl.work"
    with WorkFile(path, SETTINGS) as work:
        work.add({("q1",): {"text": "ä"}, ("q2",): {"text": "b"}}, seconds=1.5)
        work.add({("q1", 1): [3]}, seconds=0.25)
        assert (work.found, work["q1",]) == (0, {"text": "ä"})
    with WorkFile(path, SETTINGS) as work:
        assert list(work) == [("q1",), ("q2",), ("q1", 1)]
        assert [work[key] for key in work] == [{"text": "ä"}, {"text": "b"}, [3]]
        assert (work.found, sum(work.seconds.values())) == (3, 1.75)
        work.add({("q3",): 1})
    with WorkFile(path, SETTINGS) as work:
        assert work["q3",] == 1


def test_the_rows_of_other_settings_are_left_aside(tmp_path, caplog):
    path = tmp_path / "work"
    with WorkFile(path, SETTINGS) as work:
        work.add({("q1",): 1})
    with caplog.at_level("INFO"), WorkFile(path, {"temperature": 1}) as work:
        assert list(work) == []
        assert "has answers that were asked with other settings: left aside" in caplog.text
        work.add({("q2",): 2})
    with WorkFile(path, {"temperature": 1}) as work:
        assert list(work) == [("q2",)]


@pytest.mark.parametrize("lost", range(1, 130, 8))
def test_a_line_that_a_kill_has_torn_is_cut_off_and_written_anew(tmp_path, lost):
    path = tmp_path / "work"
    with WorkFile(path, SETTINGS) as work:
        work.add({("q1",): "one"})
        work.add({("q2",): "two"})
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    with WorkFile(path, SETTINGS) as work:
        assert list(work) == [("q1",), ("q2",)][: work.found]
        for key, row in ((("q1",), "one"), (("q2",), "two")):
            if key not in work:
                work.add({key: row})
    assert path.read_bytes() == whole


def test_a_file_that_holds_nothing_does_not_stay(tmp_path):
    with WorkFile(tmp_path / "work", SETTINGS):
        assert (tmp_path / "work").exists()
    assert not (tmp_path / "work").exists()


class Engine:
    """Answers each prompt with its own tokens, and notes what it was asked."""

    def __init__(self, dies_after=99):
        self.stages, self.asked = {"weights": 0.5}, []
        self._dies_after = dies_after

    def answer(self, prompts, decoding, done=(), grammars=None):
        for place, prompt in enumerate(prompts):
            if place in done:
                continue
            if len(self.asked) == self._dies_after:
                raise KeyboardInterrupt
            self.asked.append(place)
            yield {place: [Completion(prompt, "stop")]}


def ask(work, engine, stages):
    def texts(answers):
        return [[f"SELECT {each.token_ids[0]}" for each in own] for own in answers]

    keys = [(f"q{number}",) for number in range(5)]
    prompts = [[number, 7] for number in range(5)]
    Questioner(lambda: engine, texts, work, stages).ask(
        "x", keys, prompts, DecodingSettings(**GREEDY)
    )


def test_after_an_end_in_the_middle_only_the_others_are_asked(tmp_path):
    with WorkFile(tmp_path / "work", SETTINGS) as work, pytest.raises(KeyboardInterrupt):
        ask(work, Engine(dies_after=3), {})
    engine, stages = Engine(), {}
    with WorkFile(tmp_path / "work", SETTINGS) as work:
        ask(work, engine, stages)
        assert engine.asked == [3, 4]
        assert [work[f"q{n}",]["samples"][0]["sql"] for n in range(5)] == [
            f"SELECT {n}" for n in range(5)
        ]
        assert work["q4",]["prompt_tokens"] == 2
    assert stages.keys() == {"weights", "engine_start", "detokenization", "generation"}


def test_no_engine_starts_where_all_is_answered(tmp_path):
    with WorkFile(tmp_path / "work", SETTINGS) as work:
        ask(work, Engine(), {})
    with WorkFile(tmp_path / "work", SETTINGS) as work:
        ask(work, None, {})

"""Who answers one prompt after the other: a model that stays loaded, or a server; with the code of the run."""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from sqladder.errors import LOG
from sqladder.files import Row
from sqladder.generation.repair_rounds import Repairs
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.work_file import WorkFile

Grammars = Mapping[str | int, str]


class Answerer(Protocol):
    """Answers prompts."""

    def answer(self, row: Row, grammars: Grammars, repairs: Repairs | None) -> Row:
        """The prediction of one prompt, all of its samples in it, before one is chosen.

        Args:
            row: id, under which nothing was asked before, and messages.
            grammars: what the answer is held to, by the id; empty without a grammar.
            repairs: how answers that fail are found and asked again; None where none is.

        Raises:
            InputError: the prompt is too long for the model, or a server refuses.
        """
        ...


class ModelAnswerer:
    """A model of this machine; it is loaded when this is made."""

    def __init__(self, model: Path, decoding: DecodingSettings, folder: Path) -> None:
        """Load a model.

        Args:
            model: its folder.
            decoding: how it answers.
            folder: for the answers while they are made.

        Raises:
            InputError: the folder holds no model that can be asked, or a package is missing.
        """
        from sqladder.models.folders import check_model_folder
        from sqladder.processes.imports import leaving_out, uncollected

        check_model_folder(model, "model", is_asked=True)
        # Models are folders: nothing is asked of a hub, and where there is none nothing waits for it.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        self._decoding = decoding = with_engine_here(decoding)
        # transformers uses both for losses and ways of generating that no run has.
        with uncollected(), leaving_out("scipy", "sklearn"):
            from sqladder.generation import answering, tokens
            from sqladder.generation.contract import Load

            tokens.import_tokenizers()
            module = answering.load_engine(decoding.engine, None)
        self._model, self._folder, self._tokens = model, folder, tokens
        self._answering = answering
        ends = tokens.end_tokens(model)
        load = Load(tokens.context_length(model), decoding.samples)
        with _without_bars():
            engine = module.start(model, load, decoding, ends)
        self._start = lambda: engine

    def answer(self, row: Row, grammars: Grammars, repairs: Repairs | None) -> Row:
        """The prediction of one prompt (Answerer)."""
        tokens, answering, decoding = self._tokens, self._answering, self._decoding
        encoded = tokens.encode(self._model, [row], decoding.max_new_tokens)
        again = None
        if repairs:
            from sqladder.generation.repair import ModelRepairs

            again = ModelRepairs(repairs)
        with WorkFile(self._folder / f"{row['id']}.work", {}) as work, _without_bars():
            decode = partial(tokens.decode, self._model)
            asking = answering.Questioner(self._start, decode, work, {}, grammars)
            asking.ask("ask", [(0, row["id"])], encoded.prompts, decoding)
            if again:
                encode = partial(tokens.encode_conversations, self._model)
                again.ask_again(asking, [row], encoded, encode, decoding)
            (prediction,) = answering.GeneratedAnswers([row], work, again)
        work.remove()
        return prediction


def with_engine_here(decoding: DecodingSettings) -> DecodingSettings:
    """The decoding by an engine that is installed here; a change is said."""
    if decoding.engine != "vllm" or find_spec("vllm"):
        return decoding
    LOG.warning("vLLM, which the run used, is not installed here: transformers answers")
    return decoding.model_copy(update={"engine": "transformers"})


@contextmanager
def _without_bars() -> Iterator[None]:
    """Leave out bars of progress, which are of thousands of prompts; the log goes on."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield

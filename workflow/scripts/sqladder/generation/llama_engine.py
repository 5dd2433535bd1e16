"""Generation with llama.cpp: a GGUF file on the CPU, one prompt after the other, by token ids.

Prompts are the tokens that every engine gets, and tokens are drawn as the engine of transformers draws them, so what
differs from it are the numbers of the model alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import LogitsProcessorList, RepetitionPenaltyLogitsProcessor

from sqladder.errors import InputError
from sqladder.generation.contract import NOTHING, Completion, Finished, Load, cut_at_end_token
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.transformers_engine import sampling
from sqladder.models.weights import gguf_files

try:
    import llama_cpp
except ModuleNotFoundError as error:
    raise InputError(
        f"a GGUF file is asked through a package that is not installed here ({error.name}): `make gguf` compiles and "
        "installs requirements/gguf.lock, which takes minutes"
    ) from error

if TYPE_CHECKING:
    from sqladder.generation.constraint import Grammars

PACKAGE = "llama_cpp"
# Room for tokens that is taken at first: a model may take many more than any prompt has.
_FIRST_ROOM = 4096


def start(
    model: Path, load: Load, decoding: DecodingSettings, end_tokens: Sequence[int]
) -> "LlamaEngine":
    """Load the GGUF file of a folder.

    Raises:
        InputError: the folder holds none, or several, or llama.cpp cannot read it.
    """
    files = gguf_files(model)
    if len(files) != 1:
        raise InputError(f"{model} holds {len(files)} GGUF files; llama.cpp is given one")
    engine = LlamaEngine(files[0], min(load.longest, _FIRST_ROOM), end_tokens)
    if decoding.grammar != "none":
        from sqladder.generation.constraint import Grammars

        engine.compiled = Grammars(model, engine.width, end_tokens)
    return engine


class LlamaEngine:
    """A model that answers prompt by prompt (contract.ModelEngine)."""

    def __init__(self, file: Path, room: int, end_tokens: Sequence[int]) -> None:
        self.stages: Mapping[str, float] = MappingProxyType({})
        self.compiled: Grammars | None = None
        self._file, self._room, self._end_tokens = file, room, end_tokens
        self._network = self._loaded()
        self.width = self._network.n_vocab()

    def _loaded(self) -> "llama_cpp.Llama":
        # As many threads as torch has, which OMP_NUM_THREADS says.
        threads = torch.get_num_threads()
        try:
            return llama_cpp.Llama(
                str(self._file),
                n_ctx=self._room,
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
        except ValueError as error:
            raise InputError(f"llama.cpp cannot load {self._file}: {error}") from error

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
        done: Collection[int] = NOTHING,
        grammars: Sequence[str] | None = None,
    ) -> Iterator[Finished]:
        """Answer prompts, the longest first, so that one that needs too much memory fails early."""
        order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
        for place in order:
            if place in done:
                continue
            self._make_room(len(prompts[place]) + decoding.max_new_tokens)
            grammar = grammars[place] if grammars else None
            yield {place: self._answer(list(prompts[place]), decoding, grammar)}

    def _make_room(self, tokens: int) -> None:
        if tokens > self._room:
            self._room = tokens
            self._network = self._loaded()

    def _answer(
        self, prompt: list[int], decoding: DecodingSettings, grammar: str | None
    ) -> list[Completion]:
        self._network.reset()
        self._network.eval(prompt)
        first = self._scores()
        return [
            self._draw(prompt, first, draw, sample, grammar)
            for draw in decoding.draws()
            for sample in range(draw.samples)
        ]

    def _scores(self) -> torch.FloatTensor:
        """The logits of the next token, shape (1, tokens)."""
        # llama.cpp's own memory, which the next step overwrites.
        found = self._network._ctx.get_logits_ith(-1)
        return torch.FloatTensor(np.ctypeslib.as_array(found, shape=(1, self.width)).copy())

    def _draw(
        self,
        prompt: list[int],
        scores: torch.FloatTensor,
        decoding: DecodingSettings,
        sample: int,
        grammar: str | None,
    ) -> Completion:
        # What an earlier sample wrote is forgotten, the prompt is not.
        self._network.n_tokens = len(prompt)
        choosing = self._choosing(prompt, decoding, sample, grammar)
        written: list[int] = []
        logarithms = []
        ids = torch.LongTensor([prompt])
        while True:
            chosen = int(choosing(ids, torch.FloatTensor(scores.clone())).argmax())
            written.append(chosen)
            logarithms.append(float(scores.double().log_softmax(-1)[0, chosen]))
            if chosen in self._end_tokens or len(written) == decoding.max_new_tokens:
                break
            ids = torch.LongTensor([prompt + written])
            self._network.eval([chosen])
            scores = self._scores()
        answer = cut_at_end_token(written, self._end_tokens)
        if not decoding.log_probabilities:
            return answer
        return answer._replace(log_probability=sum(logarithms) / len(logarithms))

    def _choosing(
        self, prompt: list[int], decoding: DecodingSettings, sample: int, grammar: str | None
    ) -> LogitsProcessorList:
        """What changes the logits until the next token is the likeliest."""
        steps = LogitsProcessorList()
        if decoding.repetition_penalty != 1:
            steps.append(RepetitionPenaltyLogitsProcessor(decoding.repetition_penalty))
        if self.compiled and grammar is not None:
            from sqladder.generation.constraint import Constrained

            steps.append(Constrained([self.compiled.matcher(grammar)], len(prompt)))
        return LogitsProcessorList([*steps, *sampling(decoding, [prompt], len(prompt), [sample])])

"""Answers of transformers held to a grammar: tokens that would leave it have no probability."""

from collections.abc import Sequence
from pathlib import Path

import torch
import xgrammar
from transformers import LogitsProcessor

from sqladder.models.turns import read_turns


class Grammars:
    """Compiles grammars for the tokens of a model, each text once.

    Args:
        model: its folder.
        width: how many tokens its network knows.
        end_tokens: what may stand where a text is whole.
    """

    def __init__(self, model: Path, width: int, end_tokens: Sequence[int]) -> None:
        tokenizer = read_turns(model).tokenizer
        tokens = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=width, stop_token_ids=list(end_tokens)
        )
        # One thread, as the job has; it keeps what it has compiled.
        self._compiler = xgrammar.GrammarCompiler(tokens, max_threads=1)

    def matcher(self, grammar: str) -> xgrammar.GrammarMatcher:
        """What follows one answer, from its beginning on."""
        return xgrammar.GrammarMatcher(self._compiler.compile_grammar(grammar))


class Constrained(LogitsProcessor):
    """Takes the probability from each row's tokens that its grammar does not admit; for one generation.

    Args:
        matchers: of each row.
        width: tokens of the prompts, to which the first call is made.
    """

    def __init__(self, matchers: Sequence[xgrammar.GrammarMatcher], width: int) -> None:
        self._matchers = matchers
        self._width = width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Take what was written, and admit what may follow."""
        if input_ids.shape[1] > self._width:
            self._follow(input_ids[:, -1].tolist())
        mask = xgrammar.allocate_token_bitmask(len(self._matchers), scores.shape[1])
        for row, matcher in enumerate(self._matchers):
            # What follows an end is padding.
            if not matcher.is_terminated():
                matcher.fill_next_token_bitmask(mask, row)
        xgrammar.apply_token_bitmask_inplace(scores, mask.to(scores.device))
        return scores

    def _follow(self, tokens: list[int]) -> None:
        for row, (matcher, token) in enumerate(zip(self._matchers, tokens, strict=True)):
            if not matcher.is_terminated() and not matcher.accept_token(token):
                raise RuntimeError(f"the grammar of row {row} does not admit token {token}")

"""Prompts answered by a server: some at a time, and kept on disk as they are answered.

The server writes the turns by its own chat template, so the prompts are messages. The client, OpenAI's, repeats what
failed on the way (a lost connection, 408, 409, 429, 5xx) and waits as long as the server asks.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openai import APIError, AsyncOpenAI
from pydantic import ValidationError
from tqdm import tqdm

from sqladder.errors import LOG, InputError
from sqladder.files import Row
from sqladder.generation.outcome import Facts
from sqladder.generation.served_errors import TooLongError, in_words
from sqladder.generation.served_reply import Reply
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import SamplingSettings
from sqladder.generation.work_file import Key, WorkFile
from sqladder.metric.showing import brief

Conversation = Sequence[Mapping[str, str]]
"""Messages, each with role and content."""

RETRIES = 10
"""Repetitions of a request; the last ones wait 8 seconds each, if the server asks for nothing else."""

# Of an answer that is not in OpenAI's form, which the client does not repeat.
_MALFORMED = 3
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Asker:
    """Asks one server.

    Attributes:
        server: who is asked.
        key: its secret; empty for none.
        work: where answers are kept as they come.
        concurrency: requests that are under way at a time, at most.
        grammars: what the answers to each prompt, by its id, are held to; empty without a grammar.
        retries: how often a request is repeated at most.
        timeout: seconds without a byte after which a request counts as lost.
    """

    server: Server
    key: str
    work: WorkFile
    concurrency: int
    grammars: Mapping[str | int, str] = field(default_factory=dict)
    retries: int = RETRIES
    timeout: float = _TIMEOUT

    def ask(
        self,
        title: str,
        prompts: Mapping[Key, Conversation],
        decoding: SamplingSettings,
        may_be_too_long: bool = False,
    ) -> None:
        """Keep the answers to prompts in the work file, but for those that are in it.

        Args:
            title: what the bar of progress is called.
            prompts: messages by the key that the answers are kept under, whose second part is the prompt's id.
            decoding: how answers are drawn.
            may_be_too_long: whether a prompt that is too long for the model is kept as one without answers.

        Raises:
            InputError: the server refuses a request, or cannot be reached; what was answered before is kept.
        """
        left = {key: messages for key, messages in prompts.items() if key not in self.work}
        if not left:
            return
        done = len(prompts) - len(left)
        if done:
            LOG.info(f"{title}: {done} of {len(prompts)} were answered before: {self.work.path}")
        try:
            with tqdm(total=len(prompts), initial=done, desc=title, unit="prompt") as bar:
                asyncio.run(self._ask_all(left, decoding, may_be_too_long, bar))
        except ExceptionGroup as group:
            # The others are of the same server at the same time.
            raise group.exceptions[0] from None

    async def _ask_all(
        self,
        prompts: Mapping[Key, Conversation],
        decoding: SamplingSettings,
        may_be_too_long: bool,
        bar: tqdm,
    ) -> None:
        waiting, clock = iter(prompts.items()), _Laps()
        client = AsyncOpenAI(
            base_url=self.server.url,
            # The client wants one; servers without keys look at none.
            api_key=self.key or "none",
            max_retries=self.retries,
            timeout=self.timeout,
        )

        async def answer_some() -> None:
            for key, messages in waiting:
                try:
                    answers = await self._answers(client, key, messages, decoding)
                except TooLongError:
                    if not may_be_too_long:
                        raise
                    answers = _NONE
                self.work.add({key: answers}, clock.lap())
                bar.update()

        async with client, asyncio.TaskGroup() as group:
            for _ in range(min(self.concurrency, len(prompts))):
                group.create_task(answer_some())

    async def _answers(
        self, client: AsyncOpenAI, key: Key, messages: Conversation, decoding: SamplingSettings
    ) -> Row:
        """The row of a prompt in the work file: all of its answers, and what they took."""
        samples: list[Row] = []
        counts: Counter[str] = Counter()
        prompt_tokens, model = 0, ""
        grammar = self.grammars.get(key[1])
        for draw in decoding.draws():
            wanted = len(samples) + draw.samples
            # Not every server knows n; one answer a request is what all give.
            while (missing := wanted - len(samples)) > 0:
                sent = self._request(draw, missing, len(samples), grammar)
                reply, retries = await self._reply(client, {**sent, "messages": messages})
                samples += reply.samples()[:missing]
                prompt_tokens, model = reply.usage.prompt_tokens, reply.model
                counts.update(
                    requests=1,
                    retries=retries,
                    input=reply.usage.prompt_tokens,
                    output=reply.usage.completion_tokens,
                )
        if decoding.log_probabilities and any("log_probability" not in s for s in samples):
            raise InputError(
                f"{self.server.url} tells no log-probabilities, by which an answer among several is chosen: use "
                "choose: first"
            )
        if grammar and not all(_begins_a_select(sample["text"]) for sample in samples):
            raise InputError(
                f"{self.server.url} answers, but not by the grammar that it was sent as structured_outputs: give "
                "grammar: none, or a server that takes it, as vLLM's does"
            )
        return {"prompt_tokens": prompt_tokens, "samples": samples, "model": model, **counts}

    def _request(
        self, draw: SamplingSettings, missing: int, drawn: int, grammar: str | None
    ) -> dict[str, Any]:
        """What is asked of the server beside the messages; what has no effect is left out."""
        sent: dict[str, Any] = {
            "model": self.server.model,
            self.server.length_key: draw.max_new_tokens,
            "temperature": draw.temperature,
        }
        if draw.temperature:
            # Samples of later requests would be copies.
            sent["seed"] = (draw.seed + drawn) % 2**32
        if draw.temperature and draw.top_p < 1:
            sent["top_p"] = draw.top_p
        if missing > 1:
            sent["n"] = missing
        if draw.log_probabilities:
            sent["logprobs"] = True
        if grammar:
            # No part of the protocol: the client sends it beside.
            sent["extra_body"] = {"structured_outputs": {"grammar": grammar}}
        return {name: value for name, value in sent.items() if name not in self.server.leave_out}

    async def _reply(self, client: AsyncOpenAI, sent: dict[str, Any]) -> tuple[Reply, int]:
        """The answer to one request, and how often it was repeated."""
        retries = 0
        while True:
            try:
                raw = await client.chat.completions.with_raw_response.create(**sent)
            except APIError as error:
                raise in_words(error, self.server, self.key, sent) from None
            retries += raw.retries_taken
            try:
                return Reply.model_validate_json(raw.content), retries
            except ValidationError as error:
                if retries >= min(_MALFORMED, self.retries):
                    raise InputError(self._malformed(raw.text, error)) from None
            retries += 1
            await asyncio.sleep(retries)

    def _malformed(self, text: str, error: ValidationError) -> str:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        text = text.replace(self.key, "***") if self.key else text
        return (
            f"{self.server.url} answers, but not as OpenAI's API does ({place and place + ': '}{first['msg']}): "
            f"{brief(text)}; correct url, which mostly ends in /v1"
        )


class _Laps:
    """A stopwatch; laps add up to the time since its start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.monotonic()
        seconds, self._begun = now - self._begun, now
        return seconds


# Of a prompt that is too long for the model.
_NONE: Row = {
    **{"prompt_tokens": 0, "samples": [], "model": ""},
    **{"requests": 1, "retries": 0, "input": 0, "output": 0},
}


def _begins_a_select(text: str) -> bool:
    """Whether a text, however early it was cut off, begins as every answer by a grammar does."""
    beginning = text.lstrip()[: len("select")].lower()
    return "select".startswith(beginning)


def first_key(row: Row) -> Key:
    """What the first answers to a prompt are kept under; those to repairs have other numbers."""
    return (0, row["id"])


def asked_with(
    server: Server, rows: Sequence[Row], decoding: SamplingSettings, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What answers depend on, as JSON: those of an earlier attempt count where it is the same.

    Args:
        server: who is asked.
        rows: the prompts.
        decoding: how answers are drawn.
        more: what grammars and repairs depend on.
    """
    prompts = hashlib.sha256()
    for row in rows:
        prompts.update(json.dumps([row["id"], row["messages"]]).encode() + b"\n")
    return {
        "prompts": prompts.hexdigest(),
        "decoding": decoding.model_dump(mode="json"),
        # Another key asks for the same.
        "server": server.model_dump(mode="json", exclude={"key_variable"}),
        **more,
    }


def served_facts(server: Server, rows: Sequence[Row], work: WorkFile) -> Facts:
    """What the answers cost, those to repairs included, and who gave them.

    Tokens are those that the server counted, over all requests.
    """
    counts: Counter[str] = Counter()
    models = set()
    for key in work:
        # What became of the answers between rounds is there too.
        if not isinstance(key[0], int):
            continue
        answers: Mapping[str, Any] = work[key]
        models.add(answers["model"])
        counts.update(
            prompt_tokens=answers["input"],
            output_tokens=answers["output"],
            requests=answers["requests"],
            retries=answers["retries"],
            cut_off=sum(sample["finish_reason"] == "length" for sample in answers["samples"]),
        )
    return {
        "engine": "served",
        "server": server.model_dump(exclude={"key_variable"}),
        # A name often stands for a model that changes; this is what the server said it was.
        "answered_by": sorted(models - {""}),
        "prompts": len(rows),
        **counts,
        "stages": {"generation": round(sum(work.seconds.values()), 3)},
    }

"""Prompts answered by a server: some at a time, and kept on disk as they are answered.

The server writes the turns by its own chat template, so the prompts are messages. The client, OpenAI's, repeats what
failed on the way (a lost connection, 408, 409, 429, 5xx) and waits as long as the server asks.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openai import APIError, AsyncOpenAI
from pydantic import ValidationError
from tqdm import tqdm

from sqladder.errors import LOG, InputError
from sqladder.files import Row
from sqladder.generation.outcome import Facts, prediction
from sqladder.generation.served_errors import in_words
from sqladder.generation.served_reply import Reply
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import SamplingSettings
from sqladder.generation.work_file import Key, WorkFile
from sqladder.metric.showing import brief

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
        decoding: how answers are drawn.
        retries: how often a request is repeated at most.
        timeout: seconds without a byte after which a request counts as lost.
    """

    server: Server
    key: str
    decoding: SamplingSettings
    retries: int = RETRIES
    timeout: float = _TIMEOUT

    def ask(self, rows: Sequence[Row], work: WorkFile, concurrency: int) -> None:
        """Keep the answers to all prompts in the work file, but for those that are in it.

        Args:
            rows: prompts, id and messages.
            work: the answers.
            concurrency: requests that are under way at a time, at most.

        Raises:
            InputError: the server refuses a request, or cannot be reached; what was answered before is kept.
        """
        left = [row for row in rows if _key(row) not in work]
        if not left:
            return
        if len(left) < len(rows):
            LOG.info(f"{len(rows) - len(left)} of {len(rows)} were answered before: {work.path}")
        try:
            with tqdm(
                total=len(rows), initial=len(rows) - len(left), desc="ask", unit="prompt"
            ) as bar:
                asyncio.run(self._ask_all(left, work, concurrency, bar))
        except ExceptionGroup as group:
            # The others are of the same server at the same time.
            raise group.exceptions[0] from None

    async def _ask_all(
        self, rows: Sequence[Row], work: WorkFile, concurrency: int, bar: tqdm
    ) -> None:
        waiting, clock = iter(rows), _Laps()
        client = AsyncOpenAI(
            base_url=self.server.url,
            # The client wants one; servers without keys look at none.
            api_key=self.key or "none",
            max_retries=self.retries,
            timeout=self.timeout,
        )

        async def answer_some() -> None:
            for row in waiting:
                answers = await self._answers(client, row)
                work.add({_key(row): answers}, clock.lap())
                bar.update()

        async with client, asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(rows))):
                group.create_task(answer_some())

    async def _answers(self, client: AsyncOpenAI, row: Row) -> Row:
        """The row of a prompt in the work file: all of its answers, and what they took."""
        samples: list[Row] = []
        counts: Counter[str] = Counter()
        prompt_tokens, model = 0, ""
        for draw in self.decoding.draws():
            wanted = len(samples) + draw.samples
            # Not every server knows n; one answer a request is what all give.
            while (missing := wanted - len(samples)) > 0:
                sent = self._request(draw, missing, len(samples))
                reply, retries = await self._reply(client, {**sent, "messages": row["messages"]})
                samples += reply.samples()[:missing]
                prompt_tokens, model = reply.usage.prompt_tokens, reply.model
                counts.update(
                    requests=1,
                    retries=retries,
                    input=reply.usage.prompt_tokens,
                    output=reply.usage.completion_tokens,
                )
        if self.decoding.log_probabilities and any("log_probability" not in s for s in samples):
            raise InputError(
                f"{self.server.url} tells no log-probabilities, by which an answer among several is chosen: use "
                "choose: first"
            )
        return {"prompt_tokens": prompt_tokens, "samples": samples, "model": model, **counts}

    def _request(self, draw: SamplingSettings, missing: int, drawn: int) -> dict[str, Any]:
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


def _key(row: Row) -> Key:
    return (0, row["id"])


def asked_with(server: Server, rows: Sequence[Row], decoding: SamplingSettings) -> dict[str, Any]:
    """What answers depend on, as JSON: those of an earlier attempt count where it is the same."""
    prompts = hashlib.sha256()
    for row in rows:
        prompts.update(json.dumps([row["id"], row["messages"]]).encode() + b"\n")
    return {
        "prompts": prompts.hexdigest(),
        "decoding": decoding.model_dump(mode="json"),
        # Another key asks for the same.
        "server": server.model_dump(mode="json", exclude={"key_variable"}),
    }


def served_predictions(rows: Sequence[Row], work: WorkFile) -> Iterator[Row]:
    """The predictions in the order of the prompts."""
    return (prediction(row["id"], work[_key(row)]) for row in rows)


def served_facts(server: Server, rows: Sequence[Row], work: WorkFile) -> Facts:
    """What the answers cost, and who gave them.

    Tokens are those that the server counted, over all requests.
    """
    counts: Counter[str] = Counter()
    models = set()
    for row in rows:
        answers: Mapping[str, Any] = work[_key(row)]
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

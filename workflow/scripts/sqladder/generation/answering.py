"""All prompts answered in this process: tokenized beside the engine's start, and kept on disk as they are answered."""

import hashlib
import importlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

from tqdm import tqdm

from sqladder.errors import LOG
from sqladder.files import Row
from sqladder.generation import tokens
from sqladder.generation.contract import Completion, Load, ModelEngine, timed
from sqladder.generation.extraction import extract_sql
from sqladder.generation.grammars import digest
from sqladder.generation.outcome import Facts, prediction, repaired_prediction
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.work_file import Key, WorkFile
from sqladder.models.turns import Message
from sqladder.processes.imports import uncollected

Grammars = Mapping[str | int, str]
NO_GRAMMARS: Grammars = MappingProxyType({})


@dataclass(frozen=True)
class GeneratedAnswers:
    """The predictions in the order of the prompts, read from the work file each time that they are looked at.

    Attributes:
        rows: the prompts.
        work: the answers.
        repairs: what asked answers again that failed.
    """

    rows: Sequence[Row]
    work: WorkFile
    repairs: "Repairing | None" = None

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            answers = self.work[_first(row)]
            if self.repairs is None:
                yield prediction(row["id"], answers)
                continue
            samples = self.repairs.samples(self.work, row["id"])
            yield repaired_prediction(row["id"], answers, samples)


class Repairing(Protocol):
    """Asks again what fails; what executes answers is no part of those generations that need it not."""

    def settings(self) -> dict[str, Any]:
        """What the answers depend on beside the decoding, as JSON."""
        ...

    def room(self, max_new_tokens: int) -> int:
        """Tokens that a prompt of its may have more than the first one to the same question."""
        ...

    def ask_again(
        self,
        asking: "Questioner",
        rows: Sequence[Row],
        encoded: tokens.Encoded,
        encode: Callable[[list[list[Message]]], list[list[int]]],
        decoding: DecodingSettings,
    ) -> list[Facts]:
        """Ask whatever failed, and say what each round was.

        Args:
            asking: asks, and keeps the answers.
            rows: the prompts, all of which have been answered.
            encoded: the same as a model takes them.
            encode: turns conversations into token ids.
            decoding: how answers are generated.
        """
        ...

    def samples(self, work: WorkFile, key: str | int) -> list[Row]:
        """The samples of a question as they are kept, with their rounds."""
        ...


def generate_here(
    model: Path,
    rows: list[Row],
    decoding: DecodingSettings,
    cache_folder: Path | None,
    work: WorkFile,
    repairs: Repairing | None = None,
    grammars: Grammars = NO_GRAMMARS,
) -> tuple[GeneratedAnswers, Facts]:
    """Answer all prompts, with the tokenizer in a process beside this one.

    Args:
        model: Hugging Face folder.
        rows: prompts, id and messages.
        decoding: how answers are generated.
        cache_folder: for what vLLM compiles, None for its own.
        work: where answers are kept as they are finished; what is in it is not asked again.
        repairs: what repairs need, where the decoding has some.
        grammars: what the answers to each prompt are held to, by its id; empty without a grammar.

    Returns:
        The predictions in the order of the prompts, and what they cost.

    Raises:
        InputError: the prompts do not fit the model, or the engine is not installed.
    """
    stages: dict[str, float] = {}
    # Imported late: the checks so far need no seconds of import.
    with timed(stages, "imports"), uncollected():
        tokens.import_tokenizers()
    with tokens.tokenizer_process() as tokenizer:
        encoding = tokenizer.submit(tokens.encode, model, rows, decoding.max_new_tokens)
        try:
            with timed(stages, "engine_import"), uncollected():
                module = load_engine(decoding.engine, cache_folder)
        finally:
            # What is wrong with the prompts is said even where an engine is missing.
            with timed(stages, "tokenization"):
                encoded = encoding.result()
        longest = max(map(len, encoded.prompts)) + decoding.max_new_tokens
        if repairs:
            longest = min(longest + repairs.room(decoding.max_new_tokens), encoded.limit)
        load = Load(longest, len(rows) * decoding.samples)
        asking = Questioner(
            lambda: module.start(model, load, decoding, encoded.end_tokens),
            partial(_in(tokenizer), tokens.decode, model),
            work,
            stages,
            grammars,
        )
        asking.ask("generate", [_first(row) for row in rows], encoded.prompts, decoding)
        rounds = []
        if repairs:
            encode = partial(_in(tokenizer), tokens.encode_conversations, model)
            rounds = repairs.ask_again(asking, rows, encoded, encode, decoding)
    predictions = GeneratedAnswers(rows, work, repairs)
    answers = (work[key] for key in work if isinstance(key[0], int))
    facts = generation_facts(decoding.engine, module.PACKAGE, answers) | {"prompts": len(rows)}
    if repairs:
        facts["repair"] = rounds
    return predictions, {**facts, "turns": encoded.turns, "stages": stages}


def _in(tokenizer: ProcessPoolExecutor) -> Callable[..., Any]:
    """Calls functions in the tokenizer's process."""
    return lambda function, *arguments: tokenizer.submit(function, *arguments).result()


def _first(row: Row) -> Key:
    """The key of the answers to a prompt; those of later rounds have other numbers."""
    return (0, row["id"])


@dataclass
class Questioner:
    """Asks a model, whose engine starts with the first prompt that has no answer yet.

    Attributes:
        start: starts the engine.
        decode: the texts of the answers to each of some prompts.
        work: the answers.
        stages: seconds that stages took, filled in.
        grammars: what the answers to each prompt, the second part of a key, are held to; empty without a grammar.
    """

    start: Callable[[], ModelEngine]
    decode: Callable[[list[list[Completion]]], list[list[str]]]
    work: WorkFile
    stages: dict[str, float]
    grammars: Grammars = field(default_factory=dict)
    _engine: ModelEngine | None = field(default=None, init=False)

    def ask(
        self,
        title: str,
        keys: Sequence[Key],
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
    ) -> None:
        """Keep the answers to prompts in the work file, but for those that are in it.

        Args:
            title: what the bar of progress is called.
            keys: what the answers are kept under, one a prompt.
            prompts: token ids.
            decoding: how they are answered.
        """
        done = {place for place, key in enumerate(keys) if key in self.work}
        if len(done) < len(keys):
            if done:
                LOG.info(
                    f"{title}: {len(done)} of {len(keys)} were answered before: {self.work.path}"
                )
            engine = self._started()
            with tqdm(total=len(keys), initial=len(done), desc=title, unit="prompt") as bar:
                self._ask(engine, keys, prompts, decoding, done, bar)
        self.stages["generation"] = round(sum(self.work.seconds.values()), 3)

    def _ask(
        self,
        engine: ModelEngine,
        keys: Sequence[Key],
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
        done: set[int],
        bar: tqdm,
    ) -> None:
        begun = time.monotonic()
        grammars = [self.grammars[key[1]] for key in keys] if self.grammars else None
        for finished in engine.answer(prompts, decoding, done, grammars):
            seconds = time.monotonic() - begun
            new = {place: own for place, own in finished.items() if place not in done}
            with timed(self.stages, "detokenization"):
                texts = self.decode(list(new.values()))
            rows = {
                keys[place]: answered(prompts[place], completions, own)
                for (place, completions), own in zip(new.items(), texts, strict=True)
            }
            self.work.add(rows, seconds)
            bar.update(len(rows))
            begun = time.monotonic()

    def _started(self) -> ModelEngine:
        if self._engine is None:
            with timed(self.stages, "engine_start"):
                self._engine = self.start()
            self.stages |= self._engine.stages
        return self._engine


def load_engine(name: str, cache_folder: Path | None) -> ModuleType:
    """Import an engine: a module with `start` (contract.py)."""
    if name == "vllm":
        from sqladder.generation import vllm_engine

        vllm_engine.import_vllm(cache_folder)
        return vllm_engine
    if name == "llama_cpp":
        from sqladder.generation import llama_engine

        return llama_engine
    from sqladder.generation import transformers_engine

    return transformers_engine


def asked_with(
    model: Path,
    rows: Iterable[Row],
    decoding: DecodingSettings,
    repairs: Repairing | None = None,
    grammars: Grammars = NO_GRAMMARS,
) -> dict[str, Any]:
    """What answers depend on, as JSON: those of an earlier attempt count where it is the same."""
    prompts = hashlib.sha256()
    for row in rows:
        prompts.update(json.dumps([row["id"], row["messages"]]).encode() + b"\n")
    files = sorted(file for file in model.iterdir() if file.is_file())
    return {
        "prompts": prompts.hexdigest(),
        "decoding": decoding.model_dump(mode="json"),
        "grammars": digest(grammars),
        # By what a file that is written anew cannot keep: to read gigabytes would take as long as many an answer.
        "model": [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files],
        "repair": repairs.settings() if repairs else None,
        "versions": {
            name: _version(name) for name in ("torch", "transformers", "vllm", "llama-cpp-python")
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def answered(ids: Sequence[int], completions: list[Completion], texts: list[str]) -> Row:
    """The row of one prompt in the work file: all of its answers."""
    samples = [
        {
            "sql": extract_sql(text),
            "text": text,
            "finish_reason": completion.finish_reason,
            "output_tokens": len(completion.token_ids),
            **_log_probability(completion),
        }
        for text, completion in zip(texts, completions, strict=True)
    ]
    return {"prompt_tokens": len(ids), "samples": samples}


def _log_probability(completion: Completion) -> Row:
    if completion.log_probability is None:
        return {}
    return {"log_probability": round(completion.log_probability, 6)}


def generation_facts(engine: str, package: str, predictions: Iterable[Row]) -> Facts:
    """What answers cost, and what made them.

    Args:
        engine: its name.
        package: what it computes with.
        predictions: the answers to one prompt each.
    """
    from sqladder.models.device import device_name, peak_memory_mb, resident_memory_mb

    counts = dict.fromkeys(("prompts", "prompt_tokens", "output_tokens", "cut_off"), 0)
    for row in predictions:
        counts["prompts"] += 1
        counts["prompt_tokens"] += row["prompt_tokens"]
        for answer in row.get("samples", [row]):
            counts["output_tokens"] += answer["output_tokens"]
            counts["cut_off"] += answer["finish_reason"] == "length"
    return {
        "engine": engine,
        **counts,
        # llama.cpp as it is installed here computes on the CPU, whatever GPU there is.
        "peak_memory_mb": resident_memory_mb() if engine == "llama_cpp" else peak_memory_mb(),
        "device": "cpu" if engine == "llama_cpp" else device_name(),
        # Asked of the modules: vLLM's package has another name where it is built for CPU.
        "versions": {
            name: importlib.import_module(name).__version__
            for name in dict.fromkeys(("torch", "transformers", package))
        },
    }

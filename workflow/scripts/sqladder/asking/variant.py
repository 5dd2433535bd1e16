"""A variant that is asked any question about one database, as it was asked in its run."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.asking.answerers import Answerer, ModelAnswerer
from sqladder.asking.database import AskedDatabase
from sqladder.asking.settings import Asking, FewShot, ModelAsking, read_asking
from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl
from sqladder.generation.choice import with_choice
from sqladder.generation.grammars import grammar_of
from sqladder.generation.repair_rounds import Repairs
from sqladder.metric.asked_rows import AskedRows, fetch
from sqladder.metric.grouping import Answered, group_by_result
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.suite import Options
from sqladder.prompts.writing import PromptFiles, PromptWriter
from sqladder.retrieval.choosing import ChoiceFiles, choose
from sqladder.retrieval.example_pool import POOL_FIELDS, Pool


class GivenAnswer(NamedTuple):
    """What a variant says to a question.

    Attributes:
        sql: the query, "" where its text holds none.
        text: what was written.
        result: the query's rows; None where nothing was executed.
        finish_reason: why the text ended there, `stop` or `length`.
        prompt_tokens: of the prompt; None where a server does not tell.
        output_tokens: of all samples; None likewise.
    """

    sql: str
    text: str
    result: AskedRows | None
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    output_tokens: int | None = None


class AskedVariant:
    """A variant with its model loaded and its database read."""

    def __init__(self, folder: Path, database: AskedDatabase, work: Path) -> None:
        """Load what answers, and read the database's schema.

        Args:
            folder: results/<variant>.
            database: what is asked about.
            work: a folder for the answers while they are made.

        Raises:
            InputError: a file of the run is missing or unfit, the database cannot be read, or a package is missing.
        """
        self._asking = asking = read_asking(folder)
        self._database, self._asked = database, 0
        self._root = (folder / asking.root).resolve()
        self._limits = asking.own_limits()
        self._options = Options(repairs=QUIRKS[asking.quirks])
        self._few_shot = asking.few_shot and _Shots(asking.few_shot, self._root, database.folder)
        self._check_repairs()
        files = PromptFiles(Path("the question"), database.folder)
        self._writer = PromptWriter(asking.context, files, with_answer=False)
        # With a first prompt all that is wrong with database and context is said before the model is loaded.
        self.prompt("?")
        self._answerer = _answerer(asking, folder, work)

    @property
    def name(self) -> str:
        """The variant, with its seed where it has several."""
        return self._asking.variant

    def _check_repairs(self) -> None:
        if self._asking.decoding.repair.rounds and self._asking.repair_turn is None:
            raise InputError(f"{self.name} asks again what fails, but has no repair_turn")

    def prompt(self, question: str, key: str = "ask") -> Row:
        """The prompt of a question: id, messages, and where the schema stands."""
        example = {"id": key, "db_id": self._database.name, "question": question}
        # Relative paths of the run, as of a file with descriptions, are seen from its root.
        with contextlib.chdir(self._root):
            shown = self._few_shot.of(example) if self._few_shot else ()
            return self._writer.prompt(example, shown)

    def ask(self, question: str, rows: int = 0) -> GivenAnswer:
        """The answer to a question, with the first rows of its query's result; none are fetched for 0.

        Raises:
            InputError: the question is empty or too long for the model, or a server refuses.
        """
        self._asked += 1
        prompt = self.prompt(checked(question), f"ask-{self._asked}")
        answer = self._answerer.answer(prompt, self._grammars(prompt), self._repairs(prompt))
        if self._asking.choose != "first":
            answer = with_choice(answer, self._votes(answer["samples"]))
        return GivenAnswer(
            answer["sql"],
            answer["text"],
            self.execute(answer["sql"], rows),
            answer["finish_reason"],
            answer["prompt_tokens"],
            _written(answer),
        )

    def execute(self, sql: str, rows: int) -> AskedRows | None:
        """The first rows of a query on the database, in the sandbox; None for no rows or no query."""
        return fetch(self._database.file, sql, self._limits, rows) if rows and sql else None

    def _grammars(self, prompt: Row) -> dict[str | int, str]:
        name, database = self._asking.decoding.grammar, self._database
        if name == "none":
            return {}
        return {prompt["id"]: grammar_of(name, database.folder, database.name)}

    def _repairs(self, prompt: Row) -> Repairs | None:
        asking = self._asking
        if not asking.decoding.repair.rounds or asking.repair_turn is None:
            return None
        files = {prompt["id"]: self._database.file}
        return Repairs(asking.repair_turn, files, self._options, self._limits)

    def _votes(self, samples: Sequence[Row]) -> list[int | None] | None:
        if self._asking.choose != "vote":
            return None
        answered = Answered(self._database.file, [sample["sql"] for sample in samples])
        group_by_result([answered], self._options, self._limits, jobs=1)
        return answered.groups


class _Shots:
    """The few-shot examples of a question."""

    def __init__(self, few_shot: FewShot, root: Path, databases: Path) -> None:
        self._settings: Any = few_shot.choice
        pool = root / few_shot.pool
        self._pool = Pool(list(by_id(read_jsonl(pool, POOL_FIELDS), pool).values()))
        index = root / few_shot.index if few_shot.index else None
        if index and not index.is_dir():
            raise InputError(
                f"{index}, the index of the context's few-shot examples, is missing: `snakemake --cores 1 "
                f"{few_shot.index}` in {root} builds it again"
            )
        masked = few_shot.pool_databases
        self._files = ChoiceFiles(
            databases if masked else None, root / masked if masked else None, index
        )

    def of(self, example: Row) -> list[Row]:
        """The examples that a question's prompt shows."""
        (found,) = choose(self._settings, self._pool, [example], self._files)
        return self._pool.rows(found)


def _written(answer: Row) -> int | None:
    counts = [sample["output_tokens"] for sample in answer.get("samples", [answer])]
    return None if None in counts else sum(counts)


def _answerer(asking: Asking, folder: Path, work: Path) -> Answerer:
    if isinstance(asking, ModelAsking):
        model = folder / asking.model
        # The way up from a folder of links is that of the run.
        return ModelAnswerer(model.resolve(), asking.decoding, work)
    from sqladder.asking.server_answerer import ServerAnswerer

    return ServerAnswerer(asking.server, asking.decoding, work)


def checked(text: str, name: str = "the question") -> str:
    """A text that can be used, without space around it.

    Raises:
        InputError: it is empty, or holds what is no text.
    """
    if not text.strip():
        raise InputError(f"{name} is empty: write one")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{name} holds bytes that are no UTF-8 text") from error
    return text.strip()

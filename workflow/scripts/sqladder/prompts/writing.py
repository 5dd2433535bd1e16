"""The prompts of a set of examples, one after the other: a large set never lies in memory whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqladder.errors import InputError
from sqladder.files import Fields, Row, by_id, iterate_jsonl, with_unique_ids
from sqladder.metric.showing import brief
from sqladder.prompts.contexts import ContextWriter, Written
from sqladder.prompts.rendering import placeholders, render_prompt
from sqladder.prompts.settings import ContextSettings
from sqladder.retrieval.references import TEMPLATES


@dataclass(frozen=True)
class PromptFiles:
    """What prompts are made of.

    Attributes:
        examples: the questions, JSON Lines.
        databases: folder of <db_id>/<db_id>.sqlite, None where examples bring the text of their schemas.
        references: the few-shot examples of each question by id, None where the context has none.
    """

    examples: Path
    databases: Path | None = None
    references: Path | None = None


class PromptWriter:
    """Renders examples in one context."""

    def __init__(self, context: ContextSettings, files: PromptFiles, with_answer: bool) -> None:
        self._context, self._files, self._with_answer = context, files, with_answer
        self._schemas = ContextWriter(files.databases, context) if files.databases else None
        self._is_canonical = with_answer and context.answers == "canonical"
        self._orders = context.schema_orders if with_answer else 1
        self._names_dialect = "dialect" in placeholders(context.user) | placeholders(context.system)
        self.not_canonical = 0
        if self._schemas is None:
            self._check_schemas_as_text()

    @property
    def databases(self) -> int | None:
        """How many databases were read so far, None where examples bring their schemas."""
        return None if self._schemas is None else len(self._schemas)

    def _check_schemas_as_text(self) -> None:
        """Refuse what needs the database of a question where there is none."""
        for key, is_wanted in (
            ("answers: canonical", self._is_canonical),
            ("schema_orders", self._orders > 1),
            ("{dialect}", self._names_dialect),
        ):
            if is_wanted:
                raise InputError(
                    f"{self._files.examples} brings its schemas as text, so a context with {key} cannot be written: "
                    "give the data set its databases, or take the key out"
                )

    def rows(self) -> Iterator[Row]:
        """Yield the prompt of each example: id, messages, and where the schema stands; with the answer for training.

        With `schema_orders` an example is several rows, the first in the order of the file; the others are named
        <id>#2, <id>#3 and so on.

        Raises:
            InputError: an example lacks a text, or its few-shot examples.
        """
        references = self._references()
        examples = self._files.examples
        fields: Fields = {"id": str, "question": str}
        if self._schemas is not None:
            fields = {**fields, "db_id": str}
        for example in with_unique_ids(iterate_jsonl(examples, fields), examples):
            self._check(example)
            answer = self._answer(example) if self._with_answer else None
            for number in range(1, self._orders + 1):
                name = example["id"] if number == 1 else f"{example['id']}#{number}"
                # Seeded by name: a row is the same wherever it stands, on every machine.
                order = None if number == 1 else Random(name)
                shown = self._shown(example, references)
                row = self._row(example, self._written(example, order), shown, answer)
                yield {**row, "id": name}

    def prompt(self, example: Row, shown: Sequence[Row] = ()) -> Row:
        """The prompt of a single question: id, messages, and where the schema stands.

        Args:
            example: id, question, and db_id where there are databases.
            shown: its few-shot examples, where the context has some.
        """
        return self._row(example, self._written(example, None), self._shots(shown), None)

    def _shots(self, shown: Sequence[Row]) -> str | None:
        """Few-shot examples as text; None where the context has none."""
        form = self._context.examples
        return None if form is None else TEMPLATES[form.template](shown)

    def _references(self) -> dict[str, Row] | None:
        """The rows with each question's few-shot examples; None where the context has none."""
        path = self._files.references
        return None if path is None else by_id(iterate_jsonl(path), path)

    def _shown(self, example: Row, references: dict[str, Row] | None) -> str | None:
        """A question's few-shot examples as text; None where the context has none."""
        if references is None:
            return None
        if example["id"] not in references:
            raise InputError(
                f"{self._files.references} has no examples for question {brief(example['id'])}"
            )
        return self._shots(references[example["id"]]["examples"])

    def _written(self, example: Row, order: Random | None) -> Written:
        """An example's schema from its database; data without databases bring it as text."""
        if self._schemas is not None:
            return self._schemas.write(example["db_id"], example["question"], order)
        if not example.get("schema"):
            raise InputError(
                f"{self._files.examples}: example {brief(example['id'])} brings no 'schema': give --databases"
            )
        return Written(str(example["schema"]), "")

    def _row(self, example: Row, written: Written, shown: str | None, answer: str | None) -> Row:
        parts = {"values": written.values, "evidence": example.get("evidence") or ""}
        if shown is not None:
            parts["examples"] = shown
        if self._names_dialect and self._schemas is not None:
            parts["dialect"] = self._schemas.dialect(example["db_id"])
        prompt = render_prompt(
            written.schema,
            example["question"],
            answer,
            system_text=self._context.system,
            user_template=self._context.user,
            parts=parts,
        )
        return {"id": example["id"], **prompt._asdict()}

    def _check(self, example: Row) -> None:
        for field in ("question", "sql") if self._with_answer else ("question",):
            if not example.get(field):
                raise InputError(
                    f"{self._files.examples}: example {brief(example['id'])} has no {field!r}"
                )

    def _answer(self, example: Row) -> str:
        sql = str(example["sql"])
        if self._schemas is None or not self._is_canonical:
            return sql
        canonical = self._schemas.canonical(example["db_id"], sql)
        self.not_canonical += canonical is None
        return canonical or sql

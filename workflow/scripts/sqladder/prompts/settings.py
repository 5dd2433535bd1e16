"""Settings of a context: how a question and its database are written into a prompt."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sqladder.errors import InputError
from sqladder.prompts.rendering import check_repair_template, check_user_template, placeholders
from sqladder.retrieval.settings import Examples, Writing
from sqladder.settings.base import FilledText, Settings, Text, misfit

SchemaForm = Literal["ddl", "ddl_values", "compact", "prose", "m_schema"]


class Descriptions(Settings):
    """Descriptions of columns in the schema's text: BIRD's, which lie beside the databases, and those named here."""

    tables: FilledText | None = Field(default=None, description="Spider's tables.json.")


class Linking(Settings):
    """Leaves out the tables that the question seems not to be about."""

    budget: int = Field(
        ge=1,
        description="Characters that the schema's text may have; it is left whole if it has fewer.",
    )


class Values(Settings):
    """Values of the database that the question mentions."""

    place: Literal["in_schema", "block"] = Field(
        description="in_schema writes them beside their columns; block where {values} stands, so that the schema's "
        "text stays the same for all questions."
    )
    per_column: int = Field(ge=1, description="The most values of one column.")
    at_most: int = Field(ge=1, description="The most values of one question.")


class SchemaSettings(Settings):
    """What of a context concerns the schema."""

    # `schema` is a name of pydantic's own.
    form: SchemaForm = Field(alias="schema", description="How the database's schema is written.")
    descriptions: Descriptions | None = Field(default=None, description=Descriptions.__doc__)
    linking: Linking | None = Field(default=None, description=Linking.__doc__)
    values: Values | None = Field(default=None, description=Values.__doc__)


class ContextSettings(SchemaSettings):
    """What prompts are rendered with; the examples come as a file."""

    system: Text = Field(
        description="The system message; {examples} and {dialect} may stand in it."
    )
    user: Text = Field(
        description="The user message, with {schema} and {question}, and where they are wanted {values}, {examples}, "
        "{evidence} and {dialect}, the name of the dialect that answers are executed in, in any order."
    )
    examples: Writing | None = Field(default=None, description=Writing.__doc__)
    answers: Literal["as_written", "canonical"] = Field(
        default="as_written",
        description="The queries that training teaches: as the data set has them, or each in one spelling of its own "
        "(no aliases where none are needed, names as in the schema, columns with their table where there are several).",
    )
    schema_orders: int = Field(
        default=1,
        ge=1,
        description="How often each training question is written, each time but the first with tables and columns in "
        "another order, drawn at random. An epoch is as many times longer.",
    )

    @model_validator(mode="after")
    def _placed(self) -> Self:
        """Check that the texts hold in braces what there are entries for, and nothing else."""
        try:
            check_user_template(self.user)
        except InputError as error:
            raise misfit("user", str(error)) from error
        shown = placeholders(self.user)
        if "examples" in placeholders(self.system):
            shown.add("examples")
        as_block = self.values is not None and self.values.place == "block"
        for part, wanted in (("examples", self.examples is not None), ("values", as_block)):
            if wanted and part not in shown:
                raise misfit("user", f"`{part}` has no place; write {{{part}}} into the user text")
            if part in shown and not wanted:
                entry = "`values` with place: block" if part == "values" else "`examples`"
                raise misfit(
                    "user", f"the text holds {{{part}}}, but there is no entry {entry}; add it"
                )
        return self


class Context(ContextSettings):
    """A way of writing a question and its database into a prompt."""

    examples: Examples | None = Field(
        default=None,
        discriminator="method",
        description="Few-shot examples from the training examples; never the question itself.",
    )
    repair_turn: FilledText | None = Field(
        default=None,
        description="The turn in which an answer that failed is asked again (decoding.repair): {error} is what the "
        "database said, {sql} the query.",
    )

    @model_validator(mode="after")
    def _repairing(self) -> Self:
        try:
            check_repair_template(self.repair_turn or "{error}")
        except InputError as error:
            raise misfit("repair_turn", str(error)) from error
        return self

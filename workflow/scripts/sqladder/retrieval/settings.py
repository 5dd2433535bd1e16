"""Settings of few-shot examples: how they are chosen, and how they are written."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sqladder.settings.base import FilledText, Seed, Settings, Text, misfit

Key = Literal["question", "masked_question", "sql"]
Template = Literal["reference_list", "commented_sql"]


class Encoder(Settings):
    """A model that embeds texts."""

    model: FilledText = Field(
        description="Embedding model: a folder; resources/downloads/<name> is a download."
    )


class Store(Encoder):
    """Where embeddings of the pool are kept."""

    uri: FilledText | None = Field(
        default=None,
        description="A Milvus server, or $NAME of the variable that holds it; without one, Milvus Lite's file.",
    )


class Asking(Encoder):
    """How a question is embedded."""

    instruction: Text = Field(
        description="The task that is put before each question in the form of Qwen3-Embedding; an empty one leaves it "
        "out."
    )


class Embedding(Store, Asking):
    """The embedding model and its store."""


class Rerank(Settings):
    """The reranker, a causal language model that says yes or no."""

    model: FilledText = Field(
        description="Reranker: a folder; resources/downloads/<name> is a download."
    )
    instruction: FilledText = Field(description="What makes an example fit.")
    candidates: int = Field(ge=1, description="Examples found by embedding that are scored again.")


class IndexSettings(Settings):
    """What an index of the pool is made of."""

    by: Key = Field(description="What of an example is compared with the question.")
    embedding: Store


class _Chosen(Settings):
    count: int = Field(ge=1, description="Examples a prompt.")


class _Compared(_Chosen):
    by: Key = Field(description="What of an example is compared with the question.")


class RandomChoice(_Chosen):
    """Examples drawn at random: the control."""

    method: Literal["random"] = Field(description="How examples are chosen; random is the control.")


class RandomDraw(RandomChoice):
    """A draw of examples at random."""

    seed: Seed = Field(description="Seed of the draw.")


class Bm25Choice(_Compared):
    """Examples with the same words."""

    method: Literal["bm25"] = Field(description="Examples with the same words.")


class EmbeddingChoice(_Compared):
    """Examples whose embeddings are near."""

    method: Literal["embedding"] = Field(description="Examples whose embeddings are near.")
    embedding: Asking = Field(description="The embedding model.")


class RerankChoice(_Compared):
    """Examples whose embeddings are near, ranked again by a language model."""

    method: Literal["embedding_rerank"] = Field(
        description="Examples whose embeddings are near, ranked again by a language model."
    )
    embedding: Asking = Field(description="The embedding model.")
    rerank: Rerank = Field(description="The reranker.")

    @model_validator(mode="after")
    def _enough_candidates(self) -> Self:
        if self.rerank.candidates < self.count:
            raise misfit(
                "rerank",
                f"candidates {self.rerank.candidates} are fewer than count {self.count}; ask for more candidates",
            )
        return self


# What chooses examples.
Choice = Annotated[
    RandomDraw | Bm25Choice | EmbeddingChoice | RerankChoice, Field(discriminator="method")
]


class Writing(Settings):
    """How chosen examples are written into a prompt."""

    template: Template = Field(
        description="How examples are written; reference_list is the published form."
    )


class RandomExamples(RandomChoice, Writing):
    """An entry `examples` of the config, drawn at random."""


class Bm25Examples(Bm25Choice, Writing):
    """An entry `examples` of the config, by words."""


class EmbeddingExamples(EmbeddingChoice, Writing):
    """An entry `examples` of the config, by embeddings."""

    embedding: Embedding = Field(description="The embedding model and its store.")


class RerankExamples(RerankChoice, Writing):
    """An entry `examples` of the config, by embeddings and a reranker."""

    embedding: Embedding = Field(description="The embedding model and its store.")


Examples = RandomExamples | Bm25Examples | EmbeddingExamples | RerankExamples

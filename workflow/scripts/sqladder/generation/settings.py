"""The settings of generation: how the next token is chosen, and how much is generated at a time."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sqladder.settings.base import Seed, Settings, Tokens, misfit

Engine = Literal["transformers", "vllm"]
Choice = Literal["first", "likeliest", "vote"]
GrammarName = Literal["none", "sql", "schema"]
# vLLM takes this for every temperature between it and 0.
LOWEST_TEMPERATURE = 0.01


class Repair(Settings):
    """Asks again, with the error's text, where an answer fails on the question's own database."""

    rounds: int = Field(
        ge=0, le=10, description="How often an answer is asked again at most; 0 is never."
    )


class Decoding(Settings):
    """What a config says of the generation of answers."""

    engine: Engine = Field(description="What generates.")
    max_new_tokens: Tokens = Field(ge=1, description="Tokens after which an answer is cut.")
    batch_size: int = Field(
        ge=1, description="Prompts a batch; with vllm the most answers in work at a time."
    )
    temperature: float = Field(ge=0, le=2, description="0 is greedy.")
    top_p: float = Field(gt=0, le=1, description="Nucleus sampling; without effect when greedy.")
    repetition_penalty: float = Field(gt=0, le=10, description="1 is none.")
    samples: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Answers to each prompt; more than one need a temperature. One is chosen and scored, all are kept.",
    )
    include_greedy: bool = Field(
        default=False, description="Whether the first of several samples is the greedy answer."
    )
    grammar: GrammarName = Field(
        default="none",
        description="What an answer can be: any text; sql, which is one SELECT; or schema, a SELECT with the names of "
        "the question's database.",
    )


class DecodingSettings(Decoding):
    """How the answers of one variant are generated."""

    seed: Seed = Field(description="Seed of the sampling.")
    log_probabilities: bool = Field(
        default=False, description="Whether the log-probability of each answer is computed."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if 0 < self.temperature < LOWEST_TEMPERATURE:
            raise misfit(
                "temperature",
                f"engines take {LOWEST_TEMPERATURE} for {self.temperature}; write 0, which is greedy, or "
                f"{LOWEST_TEMPERATURE} at least",
            )
        if self.samples > 1 and self.temperature == 0:
            raise misfit(
                "samples",
                f"samples is {self.samples}, but greedy answers are all the same; give a temperature above 0, or "
                "leave samples out",
            )
        if self.include_greedy and self.samples == 1:
            raise misfit(
                "include_greedy",
                "a greedy answer is the first of several samples, and samples is 1; give more samples, or "
                "temperature: 0 without include_greedy",
            )
        return self

    def draws(self) -> list[Self]:
        """The settings of one draw after another whose answers, together, are those to a prompt."""
        if not self.include_greedy:
            return [self]
        greedy = {"samples": 1, "temperature": 0.0, "include_greedy": False}
        sampled = {"samples": self.samples - 1, "include_greedy": False}
        return [self.model_copy(update=greedy), self.model_copy(update=sampled)]


class RepairedDecoding(DecodingSettings):
    """How the answers of a variant are generated that asks again what fails."""

    repair: Repair = Field(description=Repair.__doc__)

    def of_repairs(self) -> Self:
        """The settings of the answers to repairs: one, greedy, so that equal failures need one answer."""
        return self.model_copy(update={"samples": 1, "temperature": 0.0, "include_greedy": False})

"""What a server answers to one request, as far as it is used; the rest of OpenAI's form is ignored."""

from statistics import fmean

from pydantic import BaseModel, Field

from sqladder.files import Row
from sqladder.generation.extraction import extract_sql

# Without tokens there is no mean: an empty answer is chosen where there is nothing else.
_OF_NOTHING = -1000.0


class _Message(BaseModel):
    content: str | None = None


class _Token(BaseModel):
    logprob: float


class _Tokens(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Tokens | None = None


class Usage(BaseModel):
    """What the server counted, over all choices."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class Reply(BaseModel):
    """The answers to one request."""

    model: str = ""
    choices: list[_Choice] = Field(min_length=1)
    usage: Usage

    def samples(self) -> list[Row]:
        """The answers as rows: sql, text, finish_reason, output_tokens, and log_probability where it was told.

        Of several choices the server counts the tokens together: each one's are known where it told their
        log-probabilities, and None elsewhere.
        """
        only = self.usage.completion_tokens if len(self.choices) == 1 else None
        return [_sample(choice, only) for choice in self.choices]


def _sample(choice: _Choice, tokens: int | None) -> Row:
    text = choice.message.content or ""
    told = choice.logprobs.content if choice.logprobs else None
    if tokens is None and told is not None:
        tokens = len(told)
    sample: Row = {
        "sql": extract_sql(text),
        "text": text,
        "finish_reason": choice.finish_reason or "unknown",
        "output_tokens": tokens,
    }
    if told:
        sample["log_probability"] = round(fmean(token.logprob for token in told), 6)
    elif choice.logprobs and not text:
        sample["log_probability"] = _OF_NOTHING
    return sample

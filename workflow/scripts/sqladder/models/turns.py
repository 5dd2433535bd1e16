"""The turns of a chat as a base model writes them, all of it read from its checkpoint.

What ends an answer is what the chat template writes after an assistant's text; what stops a generation is that, the
tokenizer's end and the ends of generation_config.json. Nothing of a family of models is written here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from jinja2.exceptions import TemplateError

from sqladder.errors import LOG, InputError
from sqladder.files import read_json

Message = dict[str, str]

TEMPLATE_FILE = "chat_template.jinja"

TEMPLATE_DATE = datetime(2024, 7, 26)
"""What a template that writes today's date is told (Llama 3.1's own, where it knows none): prompts are the same
every day."""

TemplateName = Literal["chatml", "plain"]

# For checkpoints that bring no template; the config chooses (base_model.template).
TEMPLATES: Mapping[TemplateName, str] = MappingProxyType(
    {
        "chatml": (
            "{%- for message in messages -%}"
            "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
            "{%- endfor -%}"
            "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
        ),
        "plain": (
            "{%- for message in messages -%}"
            "{%- if message.role == 'assistant' -%}"
            "{{- message.content + eos_token -}}"
            "{%- else -%}"
            "{{- message.content + '\\n\\n' -}}"
            "{%- endif -%}"
            "{%- endfor -%}"
        ),
    }
)
_CHATML_TOKENS = ("<|im_start|>", "<|im_end|>")

# Texts that a template is tried with; no template writes them by itself.
_SYSTEM, _QUESTION, _ANSWER = "sqladder-system", "sqladder-question", "sqladder-answer"

_CONTROL_TOKEN = re.compile(r"<(?=\|\w+\|>)|<(?=/?(?:think|tool_call|tool_response)>)")


def neutralise(text: str) -> str:
    """Break every control token in a text from outside: `<|im_end|>` becomes `< |im_end|>`.

    A tokenizer reads such a token wherever it stands, so a value or question that holds one could
    otherwise end its own turn and open another.
    """
    return _CONTROL_TOKEN.sub("< ", text)


class Turns:
    """How a base model writes a conversation.

    Args:
        tokenizer: of transformers, with its chat template.
        more_ends: token ids that end a generation beside those that tokenizer and template tell.
        name: of the checkpoint, for messages.

    Raises:
        InputError: there is no template, or nothing that ends an answer.
    """

    def __init__(
        self, tokenizer: Any, more_ends: Sequence[int] = (), name: str = "the tokenizer"
    ) -> None:
        self.tokenizer = tokenizer
        self._name = name
        if not tokenizer.chat_template:
            raise InputError(
                f"{name} has no chat template, so how a question is put to it is not known: name one "
                f"by base_model.template, {' or '.join(TEMPLATES)}"
            )
        self.end_of_turn = self._end_of_turn()
        self.stops = self._stops(more_ends)

    @cached_property
    def takes_system(self) -> bool:
        """Whether the template writes a system turn; else its text goes before the first question."""
        messages = [_message("system", _SYSTEM), _message("user", _QUESTION)]
        try:
            return _SYSTEM in self._apply(messages)
        except TemplateError:
            return False

    @cached_property
    def writes_date(self) -> bool:
        """Whether the template writes today's date, for which `TEMPLATE_DATE` stands."""
        messages = [_message("user", _QUESTION)]
        early, late = (
            self._apply(messages, now=datetime(year, month, day))
            for year, month, day in ((2001, 2, 3), (2012, 11, 10))
        )
        return early != late

    @property
    def pad(self) -> int:
        """The id that fills rows up: the tokenizer's, else one that ends an answer. It is masked."""
        own = self.tokenizer.pad_token_id
        return self.stops[0] if own is None else own

    def facts(self) -> dict[str, Any]:
        """How conversations are written, for the record of a run: JSON."""
        return {
            "end_of_turn": self.end_of_turn,
            "stops": self.tokenizer.convert_ids_to_tokens(list(self.stops)),
            "system": "turn" if self.takes_system else "before the question",
            "date": f"{TEMPLATE_DATE:%Y-%m-%d}" if self.writes_date else None,
        }

    def say(self) -> None:
        """Log what is otherwise than a reader of the checkpoint's template expects."""
        if self.writes_date:
            LOG.info(
                f"{self._name} writes today's date: it is told {TEMPLATE_DATE:%d %B %Y}, every day"
            )
        if not self.takes_system:
            LOG.info(f"{self._name} takes no system turn: its text goes before the question")

    def render(self, messages: Sequence[Message]) -> str:
        """Text of a prompt, up to where the model's answer begins, with thinking off."""
        safe = [_message(each["role"], self._neutralise(each["content"])) for each in messages]
        return self._apply(self._with_system_taken(safe))

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a prompt: what inference sends and what training starts with."""
        return self._encode(self.render(messages))

    def answer_ids(self, answer: str) -> list[int]:
        """Token ids of an answer and the end of its turn: all that the training loss covers."""
        return self._encode(self._neutralise(answer) + self.end_of_turn)

    def _encode(self, text: str) -> list[int]:
        # What begins a text is in the template already.
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _with_system_taken(self, messages: list[Message]) -> list[Message]:
        if self.takes_system or not messages or messages[0]["role"] != "system":
            return messages
        system, user, *others = messages
        return [_message(user["role"], f"{system['content']}\n\n{user['content']}"), *others]

    def _apply(
        self, messages: list[Message], *, is_prompt: bool = True, now: datetime = TEMPLATE_DATE
    ) -> str:
        return self.tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=is_prompt,
            enable_thinking=False,
            strftime_now=now.strftime,
        )

    def _neutralise(self, text: str) -> str:
        return self._break_control_tokens(neutralise(text))

    @cached_property
    def _break_control_tokens(self) -> Callable[[str], str]:
        special = [token for token in self._special_tokens if len(token) > 2]
        if not special:
            return lambda text: text
        longest_first = sorted(special, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        return lambda text: pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    @cached_property
    def _special_tokens(self) -> list[str]:
        added = self.tokenizer.added_tokens_decoder.values()
        named = (self.tokenizer.bos_token, self.tokenizer.eos_token, self.tokenizer.pad_token)
        return list(dict.fromkeys([*(t.content for t in added if t.special), *filter(None, named)]))

    def _end_of_turn(self) -> str:
        """What the template writes after an answer, up to the first token that can end it."""
        conversation = [_message("user", _QUESTION), _message("assistant", _ANSWER)]
        after = self._apply(conversation, is_prompt=False).rpartition(_ANSWER)[2]
        ends = [after.find(token) + len(token) for token in self._special_tokens if token in after]
        if ends:
            return after[: min(ends)]
        if self.tokenizer.eos_token:
            return self.tokenizer.eos_token
        raise InputError(
            f"{self._name} has no token that ends an answer: its template writes {after!r} after one; "
            "name its eos_token in tokenizer_config.json"
        )

    def _stops(self, more_ends: Sequence[int]) -> tuple[int, ...]:
        taught = self._encode(self.end_of_turn)[-1]
        own = self.tokenizer.eos_token_id
        return tuple(dict.fromkeys([taught, *([] if own is None else [own]), *more_ends]))


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def read_turns(model: Path) -> Turns:
    """Turns of a checkpoint, a Hugging Face folder.

    Raises:
        InputError: it has no chat template, or nothing that ends an answer.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    return Turns(tokenizer, _ends_of_generation(model), f"the tokenizer of {model}")


def has_template(model: Path) -> bool:
    """Whether a checkpoint brings a chat template, by its files."""
    config = model / "tokenizer_config.json"
    named = config.is_file() and read_json(config).get("chat_template")
    return bool(named) or (model / TEMPLATE_FILE).is_file()


def chosen_template(tokenizer: Any, name: TemplateName, model: Path) -> str:
    """Text of a template for a checkpoint that brings none.

    Raises:
        InputError: it brings one, or its vocabulary lacks what the template is made of.
    """
    if tokenizer.chat_template:
        raise InputError(
            f"base_model.template is {name}, but {model} brings a chat template of its own: leave it out"
        )
    lacking = [token for token in _CHATML_TOKENS if token not in tokenizer.get_vocab()]
    if name == "chatml" and lacking:
        raise InputError(
            f"base_model.template is chatml, but {lacking[0]} is no token of {model}: it would be written "
            "as pieces of text; choose plain"
        )
    if name == "plain" and not tokenizer.eos_token:
        raise InputError(
            f"base_model.template is plain, but the tokenizer of {model} has no token that ends a text; "
            "name its eos_token in tokenizer_config.json"
        )
    begins = tokenizer.bos_token_id is not None and tokenizer.encode("a")[:1] == [
        tokenizer.bos_token_id
    ]
    return ("{{- bos_token -}}" if begins else "") + TEMPLATES[name]


def _ends_of_generation(model: Path) -> list[int]:
    path = model / "generation_config.json"
    ends = read_json(path).get("eos_token_id") if path.is_file() else None
    if ends is None:
        return []
    return [ends] if isinstance(ends, int) else list(ends)

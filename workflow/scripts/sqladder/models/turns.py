"""The turns of a chat: their template, what ends them, and control tokens in texts from outside."""

import re
from typing import Any

END_OF_TURN = "<|im_end|>"

# Qwen3's chat form for plain conversations, written for tokenizers that bring no template: the
# generation prompt ends with an empty think block, which is how Qwen3 is told not to think aloud.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' -}}"
    "{%- if message.role == 'assistant' -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}"
    "{{- message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' -}}"
    "{%- endif -%}"
)

_CONTROL_TOKEN = re.compile(r"<(?=\|\w+\|>)|<(?=/?(?:think|tool_call|tool_response)>)")


def neutralise(text: str) -> str:
    """Break every control token in a text from outside: `<|im_end|>` becomes `< |im_end|>`.

    A tokenizer reads such a token wherever it stands, so a value or question that holds one could
    otherwise end its own turn and open another.
    """
    return _CONTROL_TOKEN.sub("< ", text)


def end_tokens(tokenizer: Any) -> list[int]:
    """Token ids that end an answer: the end of its turn, and the tokenizer's own end token.

    They differ in base models, whose tokenizers end documents, not turns; fine-tuning teaches the
    former.
    """
    names = dict.fromkeys((END_OF_TURN, tokenizer.eos_token))
    known = tokenizer.get_vocab()
    return [known[name] for name in names if name in known]

"""How chosen examples are written into a prompt."""

from collections.abc import Callable, Sequence

from sqladder.files import Row


def reference_list(examples: Sequence[Row]) -> str:
    """Write the list of the published experiment: one line, tags, items counted from 0.

    Form: github.com/Qianvenh/Text2SQL-Qwen3-1p7B, src/RAG.
    """
    items = " ".join(
        f'<reference_item id="{number}"> [QUESTION] {_squeezed(example["question"])}'
        f" [ANSWER] {_squeezed(example['sql'])} </reference_item>"
        for number, example in enumerate(examples)
    )
    return f"<reference_list> {items} </reference_list>" if items else ""


def commented_sql(examples: Sequence[Row]) -> str:
    """Write each example as a comment with the question and the statement that answers it."""
    return "\n\n".join(
        f"-- {_squeezed(example['question'])}\n{example['sql'].strip().rstrip('; ')};"
        for example in examples
    )


def _squeezed(text: str) -> str:
    return " ".join(text.split())


TEMPLATES: dict[str, Callable[[Sequence[Row]], str]] = {
    "reference_list": reference_list,
    "commented_sql": commented_sql,
}

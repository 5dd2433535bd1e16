"""What is said where answers to training questions were judged on databases of one file."""

from collections.abc import Mapping
from typing import Any

from sqladder.texts.numbers import number


def on_one_file(facts: Mapping[str, Any]) -> str:
    """A sentence with a space before it; nothing where all databases have suites, or nobody counted.

    Args:
        facts: of a round or a training by reward, with `databases` and `databases_of_one_file` where they are known.
    """
    alone = facts.get("databases_of_one_file", 0)
    if not alone:
        return ""
    return (
        f" **{number(alone)} of {number(facts['databases'])} training databases have one file, on which a query that "
        "gives gold's rows by accident counts as right**; `suite` in the data set's entry makes others."
    )

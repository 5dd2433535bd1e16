"""Objects of JSON that name each of their keys once."""

from collections.abc import Callable
from typing import Any

from sqladder.metric.input_error import InputError
from sqladder.metric.showing import brief


def unique_keys(source: object) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """What makes an object of its pairs (`object_pairs_hook`): of a key named twice Python keeps the last, unsaid.

    Args:
        source: where the object stands, for messages.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{source} has {brief(twice)} twice in one object; leave one out")
        return found

    return once

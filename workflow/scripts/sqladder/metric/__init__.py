"""Test-suite execution accuracy of text-to-SQL, with the official verdicts, in a sandbox.

Useful without the rest of SQLadder: `score_pair`, `score_files`, `hardness`, `results_equal`.
"""

from importlib import import_module

_HOMES = {
    "Limits": "limits",
    "InputError": "input_error",
    "Options": "suite",
    "hardness": "difficulty",
    "Task": "scoring",
    "results_equal": "equality",
    "score_files": "scoring",
    "score_pair": "scoring",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, which keeps the start of a worker short."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

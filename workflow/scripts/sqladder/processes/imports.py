"""Imports that cost seconds at every start, and what makes them cheaper."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def leave_out_sklearn() -> None:
    """Let transformers do without scikit-learn, which brings pandas and scipy along.

    It imports it wherever it is installed, for a way of speculative decoding: a quarter of the CPU
    time of `from transformers import AutoTokenizer`. To be called before that import, in programs
    that need none of the three.
    """
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]


@contextmanager
def leaving_out(*packages: str) -> Iterator[None]:
    """Have imports in a block do without packages that are not loaded yet; later imports find them.

    For packages that others use wherever they are installed, for what a program has no use for. A name that is None in
    `sys.modules` is not found (https://docs.python.org/3/reference/import.html#the-module-cache).
    """
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave Python's garbage collector off in a block of imports or of reading, and what it made to it for ever.

    Both make objects by the hundred thousand, all of which stay; looking through them again and again is a tenth of
    the CPU time of importing torch, transformers and vLLM, and of a report of many variants.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

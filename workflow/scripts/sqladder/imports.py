"""Imports that cost seconds at every start and serve nothing here."""

import sys


def leave_out_sklearn() -> None:
    """Let transformers do without scikit-learn, which brings pandas and scipy along.

    It imports it wherever it is installed, for a way of speculative decoding: a quarter of the CPU
    time of `from transformers import AutoTokenizer`. To be called before that import, in programs
    that need none of the three.
    """
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]

"""Standard output as a pipe of answers alone."""

import os
import sys
from typing import TextIO


def answers_alone() -> TextIO:
    """Standard output for who started this program: what others write there, as vLLM does, goes where errors go."""
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return kept

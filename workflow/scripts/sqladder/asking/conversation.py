"""A prompt at which one question after the other is asked."""

import os
from collections.abc import Callable
from pathlib import Path

from sqladder.errors import LOG, InputError

_PROMPT = "question> "


def converse(ask: Callable[[str], object]) -> None:
    """Ask what is typed, until the end of input; lines of earlier calls come back with the arrow keys.

    What is wrong with a question is said, and the next one is taken; Ctrl-C gives up a question.
    """
    keep = _history()
    while True:
        try:
            question = input(_PROMPT)
        except EOFError:
            print()  # noqa: T201 - the prompt stands on this line
            return
        except KeyboardInterrupt:
            print()  # noqa: T201
            continue
        if not question.strip():
            continue
        keep()
        try:
            ask(question)
        except InputError as error:
            LOG.error("error: %s", error)
        except KeyboardInterrupt:
            LOG.error("given up")


def _history() -> Callable[[], None]:
    """Read the lines of earlier calls; returns what writes them again, this call's among them."""
    try:
        import readline
    except ImportError:
        return lambda: None
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(state) / "sqladder" / "questions"
    readline.set_history_length(1000)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of this user alone: questions tell what is in a database.
        path.touch(mode=0o600)
        readline.read_history_file(path)
    except OSError as error:
        LOG.warning("the questions of earlier calls are not there: %s: %s", path, error.strerror)
        return lambda: None
    return lambda: readline.write_history_file(path)

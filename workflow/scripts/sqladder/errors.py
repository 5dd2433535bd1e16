"""The one error type that stands for bad input, and how a program shows it."""

import sys
from collections.abc import Callable


class InputError(ValueError):
    """Input that a user can mend: the message names the thing, its value and the way out."""


def run_main(main: Callable[[], None]) -> None:
    """Run a program's main function; show an InputError as one line and exit with status 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")

"""How a program shows what its user can mend. The error itself is the metric's, which needs nothing of this package."""

import sys
from collections.abc import Callable

from sqladder.metric.input_error import InputError as InputError


def run_main(main: Callable[[], None]) -> None:
    """Run a program's main function; show an InputError as one line and exit with status 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")

"""The error for all that is the user's to mend, in the metric and in the rest of the package."""

from sqladder.metric.showing import shown


class InputError(ValueError):
    """A file, database, setting or machine that cannot be used: the message names the thing, its value, the way out.

    Whatever the message quotes, it may be shown on any terminal and written to any log.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))

"""The error for all that is the user's to mend, in the metric and in the rest of the package."""


class InputError(ValueError):
    """A file, database, setting or machine that cannot be used: the message names the thing, its value, the way out."""

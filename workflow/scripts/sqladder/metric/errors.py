"""The error of the metric for input that its user can mend."""


class MetricInputError(ValueError):
    """A file, database or setting that cannot be scored; the message names it and the way out."""

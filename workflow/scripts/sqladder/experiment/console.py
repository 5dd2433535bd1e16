"""A readable console: what Snakemake prints of a job's inputs, without the modules that its program imports."""

import logging
from pathlib import Path


class ShortInputs(logging.Filter):
    """Replaces the package's modules in a job's printed inputs by their number; the job keeps all of them."""

    def __init__(self, package: Path) -> None:
        super().__init__()
        self._modules = f"{package.as_posix()}/"

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass; shorten those that list the inputs of a job."""
        inputs = getattr(record, "input", None)
        if isinstance(inputs, list):
            record.input = self._short([str(path) for path in inputs])
        return True

    def _short(self, inputs: list[str]) -> list[str]:
        kept = [path for path in inputs if not path.startswith(self._modules)]
        modules = len(inputs) - len(kept)
        return [*kept, f"{self._modules} ({modules} files)"] if modules else kept

"""Settings of the suites that the workflow makes."""

from pydantic import Field

from sqladder.settings.base import Settings


class SuiteSettings(Settings):
    """Other contents for each database, made from the gold queries, on which wrong answers fail."""

    files: int = Field(
        default=20, ge=2, le=100, description="Files of each database, the original among them."
    )

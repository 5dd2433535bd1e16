"""Where the workflow's own files are: in the clone that the package is part of, or inside the installed package."""

from pathlib import Path

from sqladder.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[1]
# Where setup.py puts them, and where a clone has them.
_PLACES = (_PACKAGE / "project", _PACKAGE.parents[2])


def find_project() -> Path | None:
    """The folder that holds Snakefile, workflow/, profiles/ and resources/demo/; None without them."""
    found = (
        place
        for place in _PLACES
        if (place / "Snakefile").is_file() and (place / "workflow/rules").is_dir()
    )
    return next(found, None)


def project_folder() -> Path:
    """The same, where it is needed.

    Raises:
        InputError: the package was copied without them.
    """
    if found := find_project():
        return found
    raise InputError(
        f"{_PACKAGE} was installed without the workflow (no Snakefile beside it): install the wheel again, "
        "or work in a clone of the repository"
    )

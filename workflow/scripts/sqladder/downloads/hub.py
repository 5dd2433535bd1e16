"""Files of data sets and models on the Hugging Face hub, at one commit.

The mirror is named by the environment variable HF_ENDPOINT, the token given by HF_TOKEN, which is never written to a
log.
"""

import fnmatch
import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from sqladder.downloads.fetching import (
    PassingError,
    Patience,
    Result,
    check_status,
    with_patience,
)
from sqladder.errors import InputError
from sqladder.metric.showing import without_secrets


def fetch_repository(
    repository: str,
    kind: str,
    revision: str,
    patterns: Sequence[str],
    folder: Path,
    patience: Patience | None = None,
) -> tuple[str, list[str]]:
    """Download the files of a repository whose names match a pattern.

    Args:
        repository: owner/name.
        kind: "dataset" or "model".
        revision: branch, tag or commit.
        patterns: names, or patterns as of a shell.
        folder: where the files go, under their names; parts of an earlier try are used.
        patience: when to give up.

    Returns:
        The commit, and the names.

    Raises:
        InputError: the repository, revision or files are not there, may not be read, or patience is at its end.
    """
    # False instead of None: None would look for a token that an earlier login left on the disk.
    token = os.environ.get("HF_TOKEN") or False

    def fetch() -> tuple[str, list[str]]:
        hub = HfApi(token=token)
        ask = hub.model_info if kind == "model" else hub.dataset_info
        info = ask(repository, revision=revision)
        names = [file.rfilename for file in info.siblings or ()]
        wanted = matching(names, patterns, f"the {kind} {repository}")
        # By the commit: if the hub then fails to resolve a branch, it would return what the folder holds.
        snapshot_download(
            repository,
            repo_type=kind,
            revision=info.sha,
            allow_patterns=[glob.escape(name) for name in wanted],
            local_dir=folder,
            token=token,
        )
        return str(info.sha), wanted

    return _patiently(fetch, folder, patience or Patience(), repository, revision)


def matching(names: Sequence[str], patterns: Sequence[str], source: str) -> list[str]:
    """The names that match, sorted; a pattern that matches none is an error that shows what there is."""
    found: set[str] = set()
    for pattern in patterns:
        matches = fnmatch.filter(names, pattern)
        if not matches:
            listed = ", ".join(sorted(names)[:20]) or "nothing"
            raise InputError(f"no file of {source} matches {pattern!r}; it holds {listed}")
        found.update(matches)
    return sorted(found)


def _patiently(
    call: Callable[[], Result], folder: Path, patience: Patience, repository: str, revision: str
) -> Result:
    def attempt() -> Result:
        try:
            return call()
        except GatedRepoError as error:
            raise InputError(
                f"the repository {repository} is gated: accept its terms on its page, and give your token by the "
                "environment variable HF_TOKEN"
            ) from error
        except RevisionNotFoundError as error:
            raise InputError(f"the repository {repository} has no revision {revision!r}") from error
        except RepositoryNotFoundError as error:
            raise InputError(
                f"the repository {repository} is not on {_endpoint()}, or it is private: check the name, or give a "
                "token by the environment variable HF_TOKEN"
            ) from error
        except LocalEntryNotFoundError as error:
            # huggingface_hub says so when it could not even ask for the file's head.
            raise PassingError(f"no answer from {_endpoint()}") from error
        except HfHubHTTPError as error:
            check_status(error.response, f"{_endpoint()} ({repository})", patience)
            raise PassingError(str(error).splitlines()[0]) from error
        except (httpx.TransportError, OSError) as error:
            raise PassingError(f"{type(error).__name__}: {error}") from error

    def bytes_there() -> int:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    return with_patience(attempt, bytes_there, patience, f"{repository} from {_endpoint()}")


def _endpoint() -> str:
    return without_secrets(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))

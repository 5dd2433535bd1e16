"""A trained variant on the Hugging Face hub: model, card, the experiment's config, results, and how it is asked."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id

from sqladder.asking.settings import FILE, ModelAsking
from sqladder.errors import LOG, InputError
from sqladder.files import read_object, read_text, write_json, write_text
from sqladder.models.folders import link_files
from sqladder.report.exported_variant import exported_model
from sqladder.report.model_card import LOSS_PICTURE, use_section
from sqladder.statistics.replicates import replicate_of

CARD = "model_card.md"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_RESULTS = ("train.json", "metrics.json", "generation.json")


def export_to_hub(variant: Path, repository: str, is_public: bool) -> None:
    """Upload a variant, and say where it is.

    Args:
        variant: folder of the variant, which was trained in its run.
        repository: owner/name; made where there is none.
        is_public: everybody may read it.

    Raises:
        InputError: the folder is no trained variant, the token is missing, or the hub refuses.
    """
    _check_name(repository)
    asking, model = exported_model(variant)
    own = model.parent
    if not (own / CARD).is_file():
        raise InputError(
            f"{variant} has no {CARD}: the report writes one for each variant that was trained in its run, and only "
            "those are handed on with what they were measured to do"
        )
    token = os.environ.get("HF_TOKEN", "").strip()
    if not token.isascii() or not token.isprintable():
        raise InputError(
            "the environment variable HF_TOKEN holds characters that no token has: copy it from the hub's page of "
            "tokens again"
        )
    if not token:
        raise InputError(
            "the environment variable HF_TOKEN, which holds the hub's token, is not set: make one that may write on "
            "the hub's page of tokens"
        )
    with tempfile.TemporaryDirectory(dir=own) as name:
        folder = Path(name) / "upload"
        folder.mkdir()
        _lay_out(folder, own, model, asking, variant / asking.root, repository)
        with _told(repository):
            _upload(HfApi(token=token), repository, folder, is_public)


def _check_name(repository: str) -> None:
    """Refuse a name that the hub has no repository of."""
    wrong = "" if _REPOSITORY.fullmatch(repository) else "give OWNER/NAME"
    try:
        validate_repo_id(repository)
    except HFValidationError:
        wrong = wrong or (
            "letters, digits, '-', '_' and '.', at most 96 in all, neither '-' nor '.' at an end or twice in a row, "
            "and no '.git' last"
        )
    if wrong:
        raise InputError(f"--repository {repository!r} is no name on the hub: {wrong}")


def _lay_out(
    folder: Path, own: Path, model: Path, asking: ModelAsking, root: Path, repository: str
) -> None:
    """Put all that is uploaded into a folder."""
    link_files(model, folder)
    replicate = replicate_of(own / CARD)
    card = read_text(own / CARD)
    here = use_section(f"results/{replicate.name}", f"results/{replicate.name}/model")
    # What needs files of the run cannot be asked without it.
    is_whole = asking.few_shot is None and asking.context.descriptions is None
    if is_whole:
        moved = asking.model_copy(update={"model": ".", "root": "."})
        write_json(folder / FILE, moved.given())
    there = use_section(
        repository.partition("/")[2] if is_whole else None, repository, fetched_from=repository
    )
    if here not in card:
        raise InputError(f"{own / CARD} is of another version of SQLadder: write the report again")
    write_text(folder / "README.md", card.replace(here, there))
    if (own / LOSS_PICTURE).is_file():
        write_text(folder / LOSS_PICTURE, read_text(own / LOSS_PICTURE))
    facts = read_object(root / "results/facts.json", {"config": dict})
    config = yaml.safe_dump(facts["config"], sort_keys=False, allow_unicode=True)
    write_text(folder / "sqladder/config.yaml", config)
    for name in _RESULTS:
        write_json(folder / "sqladder" / name, read_object(own / name))


def _upload(hub: HfApi, repository: str, folder: Path, is_public: bool) -> None:
    hub.create_repo(repository, private=not is_public, exist_ok=True)
    if not is_public and not hub.model_info(repository).private:
        raise InputError(
            f"{repository} is there, and everybody may read it: name another repository, make it private on its page, "
            "or give --public"
        )
    done = hub.upload_folder(
        repo_id=repository, folder_path=folder, commit_message="Upload a variant of SQLadder"
    )
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in names)
    seen = "everybody" if is_public else "you alone, until you make it public"
    LOG.info(
        f"{hub.endpoint}/{repository}: {len(names)} files, {size / 1e6:.1f} MB, read by {seen}"
    )
    LOG.info(f"commit {done.oid}")


@contextmanager
def _told(repository: str) -> Iterator[None]:
    """Say in one line what the hub answered."""
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise InputError(
                f"the hub does not let this token write {repository} (status {status}): give one that may by the "
                "environment variable HF_TOKEN"
            ) from error
        raise InputError(
            f"the hub refused {repository} with status {status}: {str(error).splitlines()[0]}"
        ) from error
    except (httpx.TransportError, OSError) as error:
        # Large files go by another protocol, whose errors are Python's own.
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise InputError(
            f"the upload to {repository} failed: {type(error).__name__}: {reason}; the same command tries again, and "
            "sends what is not there yet"
        ) from error

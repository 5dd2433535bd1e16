"""One download, from the net or from a local folder: checked, recorded and laid out."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sqladder.downloads.archives import is_archive, unpack
from sqladder.downloads.checksums import check_files, read_record, write_record
from sqladder.downloads.fetching import fetch_url
from sqladder.downloads.hub import fetch_repository, matching
from sqladder.downloads.secret_urls import unset_variables
from sqladder.downloads.settings import HttpDownload, HubDownload
from sqladder.errors import InputError
from sqladder.metric.showing import without_secrets


class Fetched(NamedTuple):
    """Files by their names in the source, their pinned checksums, and facts of the source for the record."""

    files: dict[str, Path]
    pinned: dict[str, str]
    facts: dict[str, str]


def download(
    settings: HttpDownload | HubDownload, record: Path, work_folder: Path, output: Path
) -> None:
    """Get what a download names, or say what is wrong with it.

    Args:
        settings: which files, and from where.
        record: checksums of the first download, which later ones have to give; read and written.
        work_folder: keeps unfinished files.
        output: folder to make; it appears when all of it is there.

    Raises:
        InputError: a file is not what it was, or cannot be had.
    """
    is_file = isinstance(settings, HttpDownload)
    fetched = (
        _file(settings, work_folder)
        if isinstance(settings, HttpDownload)
        else _hub_files(settings, record, work_folder)
    )
    try:
        entries = check_files(fetched.files, fetched.pinned, record)
        _lay_out(fetched.files, output, may_unpack=is_file)
    except InputError:
        # What is wrong would be wrong again on a rerun; a local folder is not ours to remove.
        if not settings.folder:
            shutil.rmtree(work_folder)
        raise
    write_record(record, entries, fetched.facts)
    shutil.rmtree(work_folder, ignore_errors=True)


def _file(settings: HttpDownload, work_folder: Path) -> Fetched:
    """Get the file of a URL, or the one of that name in the local folder."""
    path = Path(settings.folder or work_folder) / settings.file
    if settings.folder is None and not path.is_file():
        fetch_url(filled_in(settings.url), path, shown_as(settings))
    if not path.is_file():
        raise InputError(f"the folder {settings.folder} holds no {settings.file}")
    pinned = {settings.file: settings.sha256} if settings.sha256 else {}
    return Fetched({settings.file: path}, pinned, {})


def filled_in(url: str) -> str:
    """The address that a URL with environment variables means.

    Raises:
        InputError: a variable is not set, or what comes of it is no address; the message shows no value.
    """
    address = os.path.expandvars(url)
    if missing := unset_variables(url):
        raise InputError(f"the URL names the environment variable {missing[0]}, which is not set")
    if not address.startswith(("http://", "https://")):
        raise InputError(
            f"{url}, an environment variable, does not hold an address with http:// or https://"
        )
    return address


def shown_as(settings: HttpDownload) -> str:
    """The name of a file's source in the log: of what a variable holds, the server alone."""
    if "$" not in settings.url:
        return without_secrets(settings.url)
    server = urlsplit(os.path.expandvars(settings.url)).netloc.rpartition("@")[2]
    return f"{settings.file} from {server}"


def _hub_files(settings: HubDownload, record_path: Path, work_folder: Path) -> Fetched:
    """Get files of a repository at one commit: the recorded one, once there is a record."""
    record = read_record(record_path)
    if record.get("requested", settings.revision) != settings.revision:
        raise InputError(
            f"{record_path} records revision {record['requested']!r}, but the config asks for "
            f"{settings.revision!r}; remove that file to record the new one"
        )
    revision = record.get("commit", settings.revision)
    facts = {"repository": settings.repository, "requested": settings.revision}
    if settings.folder:
        folder = Path(settings.folder)
        here = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]
        names = matching(here, settings.files, str(folder))
        return Fetched({name: folder / name for name in names}, {}, facts)
    commit, names = fetch_repository(
        settings.repository, settings.type, revision, settings.files, work_folder
    )
    files = {name: work_folder / name for name in names}
    return Fetched(files, {}, {**facts, "commit": commit})


def _lay_out(files: dict[str, Path], output: Path, may_unpack: bool) -> None:
    """Put the files, or what is in the archive, into the output folder, which appears when all of it is there."""
    if output.is_dir():
        # Snakemake makes it before the job starts.
        output.rmdir()
    paths = list(files.values())
    if may_unpack and is_archive(paths[0]):
        unpack(paths[0], output)
        return
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, path in files.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, partial / name)
    partial.rename(output)

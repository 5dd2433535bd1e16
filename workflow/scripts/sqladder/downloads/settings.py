"""Settings of downloads: which files of the internet, under which name, with which checksum."""

import re
from typing import Annotated, Literal

from pydantic import Field

from sqladder.settings.base import FilledText, Settings, shaped

Url = Annotated[
    FilledText,
    shaped(
        r"^(https?://[^/\s]|\$)",
        "has to be the http:// or https:// address of the file; $NAME may stand for secret parts, or for all of it",
    ),
]
FileName = Annotated[
    FilledText,
    shaped(
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$",
        "has to be a plain file name, which the file of the address gets",
    ),
]
Sha256 = Annotated[
    str, shaped("^[0-9a-f]{64}$", "has to be a SHA-256 of 64 lower-case hexadecimal digits")
]
# As huggingface_hub's validate_repo_id: no "--" or "..", and no separator at an end.
_PART = r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*"
Repository = Annotated[
    str,
    shaped(f"^{_PART}/{_PART}$", "has to be the owner/name of a data set or model"),
    Field(max_length=96),
]


class _Download(Settings):
    folder: FilledText | None = Field(
        default=None,
        description="Take the files from this local folder instead, checked the same way.",
    )


class HttpDownload(_Download):
    """One file or archive."""

    source: Literal["http"] = Field(description="One file or archive.")
    url: Url = Field(
        description="The address of the file; an archive is unpacked. An environment variable, as $NAME, is filled in "
        "when the file is fetched, and shown by its name."
    )
    file: FileName = Field(description="The name that the file gets.")
    sha256: Sha256 | None = Field(
        default=None,
        description="What the file must have; without it, the first download records one in config/checksums.",
    )


class HubDownload(_Download):
    """Files of a data set or model of the Hugging Face hub, or of the mirror that HF_ENDPOINT names."""

    source: Literal["huggingface"] = Field(
        description="A data set or model of the hub, or of the mirror that HF_ENDPOINT names."
    )
    repository: Repository = Field(description="The owner/name of a data set or model.")
    type: Literal["dataset", "model"] = Field(
        default="dataset", description="What the repository is."
    )
    revision: FilledText = Field(
        description="Branch, tag or commit; the first download records the commit in config/checksums, later ones use "
        "it."
    )
    files: list[FilledText] = Field(
        min_length=1, description="Names of files, or patterns as of a shell."
    )


COMMIT = re.compile("[0-9a-f]{40}")
"""A revision that is one state of a repository for ever."""

Download = Annotated[HttpDownload | HubDownload, Field(discriminator="source")]

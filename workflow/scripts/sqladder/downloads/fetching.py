"""Files over HTTP: resumed where a connection broke, tried again with back-off, complete or not there."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

import httpx
import tenacity
from tqdm import tqdm

from sqladder.errors import LOG, InputError

Result = TypeVar("Result")
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes:
        attempts: requests in a row that bring no byte; one that brings some starts the count anew.
        first_wait: seconds before the second attempt; each next one waits twice as long.
        longest_wait: seconds; a server that asks for more (Retry-After) is not waited for.
        timeout: seconds without a byte after which a connection counts as broken.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 120.0
    timeout: float = 30.0


class PassingError(Exception):
    """A failure that may pass; `wait` is how many seconds the server asks for, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def with_patience(
    attempt: Callable[[], Result], progress: Callable[[], int], patience: Patience, name: str
) -> Result:
    """What `attempt` returns, which is called until it succeeds.

    Args:
        attempt: raises PassingError where another try may help.
        progress: bytes that are there by now.
        patience: when to give up, and how long to wait.
        name: what is fetched, for the log and the error.

    Raises:
        InputError: patience is at its end; the last failure is the reason.
    """
    best, fruitless = progress(), 0

    def is_enough(_: tenacity.RetryCallState) -> bool:
        nonlocal best, fruitless
        fruitless = 0 if progress() > best else fruitless + 1
        best = max(best, progress())
        return fruitless >= patience.attempts

    def wait(state: tenacity.RetryCallState) -> float:
        asked = _failure(state).wait
        # tenacity asks for the wait before it asks whether to stop: this failure is not counted yet.
        doubled = patience.first_wait * 2**fruitless * random.uniform(1, 1.25)
        return min(doubled, patience.longest_wait) if asked is None else asked

    def tell(state: tenacity.RetryCallState) -> None:
        LOG.info(
            "%s: %s; trying again in %.1f s, %d bytes are there",
            *(name, _failure(state), state.upcoming_sleep, progress()),
        )

    retrying = tenacity.Retrying(
        stop=is_enough,
        wait=wait,
        before_sleep=tell,
        retry=tenacity.retry_if_exception_type(PassingError),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except PassingError as error:
        raise InputError(
            f"{name} could not be fetched: {error}, {patience.attempts} times in a row without a new byte; "
            f"{progress()} bytes are kept, and the same command goes on from there"
        ) from error


def _failure(state: tenacity.RetryCallState) -> PassingError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PassingError), "others are not tried again"
    return error


def fetch_url(url: str, target: Path, name: str, patience: Patience | None = None) -> None:
    """Download a URL to a file; parts of an earlier try are used if the server's file is still the same.

    Args:
        url: http or https; redirects are followed.
        target: the file to make. Until it is whole, what is there lies in `<target>.part`.
        name: of the source, in messages and the log; the URL may hold secrets.
        patience: when to give up.

    Raises:
        InputError: the server refuses, sends a web page instead of a file, or patience is at its end.
    """
    patience = patience or Patience()
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with httpx.Client(follow_redirects=True, timeout=patience.timeout) as client:

        def attempt() -> None:
            try:
                _fetch_rest(client, url, part, name, patience)
            except httpx.TransportError as error:
                raise PassingError(f"{type(error).__name__}: {error}") from error
            except httpx.InvalidURL:
                # Whose message quotes a part of the URL, which may be one of the password.
                raise InputError(
                    f"{name}: the URL is not valid; write %2F for a / in its password"
                ) from None

        with_patience(attempt, lambda: _size(part), patience, name)
    _tag_file(part).unlink(missing_ok=True)
    part.rename(target)


def _fetch_rest(client: httpx.Client, url: str, part: Path, name: str, patience: Patience) -> None:
    """Ask for what is missing of the file and append it."""
    headers = {"Accept-Encoding": "identity", **_range_headers(part)}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:
            # The tag was right, or the server would send the whole: a part as long as the file is the file.
            if response.headers.get("content-range") == f"bytes */{_size(part)}":
                return
            part.unlink(missing_ok=True)
            raise PassingError("the server's file is not the one that was begun; starting anew")
        check_status(response, name, patience)
        if response.headers.get("content-type", "").startswith("text/html"):
            raise InputError(
                f"{name} sent a web page instead of a file; open it in a browser: it may ask for a "
                "confirmation or a login, or the file may have moved"
            )
        begun = _start_of(response)
        if begun != (_size(part) if begun else 0):
            part.unlink(missing_ok=True)
            raise PassingError("the server went on at another place than asked; starting anew")
        _remember_tag(response, part)
        _append(response, part, begun)


def _range_headers(part: Path) -> dict[str, str]:
    """Ask for the rest, on condition that the server's file has not changed since."""
    tag = _tag_file(part)
    if not _size(part) or not tag.is_file():
        return {}
    return {"Range": f"bytes={_size(part)}-", "If-Range": json.loads(tag.read_text())}


def check_status(response: httpx.Response, name: str, patience: Patience) -> None:
    """Raise for a response that is no success, as what it is: passing or final."""
    code = response.status_code
    if code in _PASSING_STATUS:
        wait = _retry_after(response)
        if wait is not None and wait > patience.longest_wait:
            raise InputError(
                f"{name}: the server answers {code} and asks to wait {wait:.0f} s; run the same command later"
            )
        raise PassingError(f"the server answers {code} {response.reason_phrase}", wait)
    if not response.is_success:
        raise InputError(
            f"{name}: the server answers {code} {response.reason_phrase}; check the URL, or name a local "
            "folder with the file as `folder`"
        )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _start_of(response: httpx.Response) -> int:
    """Where the body begins in the file: 0 unless the server sends a part only."""
    if response.status_code != 206:
        return 0
    stated = response.headers.get("content-range", "")
    try:
        return int(stated.removeprefix("bytes ").split("-")[0])
    except ValueError:
        return -1


def _append(response: httpx.Response, part: Path, begun: int) -> None:
    length = response.headers.get("content-length")
    total = begun + int(length) if length else None
    with (
        part.open("ab" if begun else "wb") as file,
        tqdm(total=total, initial=begun, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for chunk in response.iter_raw():
            file.write(chunk)
            bar.update(len(chunk))
    if total is not None and _size(part) != total:
        raise PassingError(f"{_size(part)} of {total} bytes came")


def _remember_tag(response: httpx.Response, part: Path) -> None:
    """Keep what identifies the server's file; a weak tag does not, byte by byte."""
    tag = response.headers.get("etag", "")
    if tag.startswith("W/"):
        tag = ""
    tag = tag or response.headers.get("last-modified", "")
    if tag:
        _tag_file(part).write_text(json.dumps(tag))
    else:
        _tag_file(part).unlink(missing_ok=True)


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

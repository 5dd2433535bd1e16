"""A web server on the loopback that fails in the ways that servers fail, and a small Hugging Face hub behind it."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Fault:
    """What happens to one request instead of the plain answer.

    Attributes:
        status: answered instead of the file.
        headers: sent with the status.
        cut_after: bytes after which the connection is closed, though more was announced.
        announce: a Content-Length that is not the body's.
        ignore_range: the whole file is sent, whatever was asked for.
        shift_range: the part that is sent begins this much earlier than asked.
        body: sent instead of the file.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    announce: int | None = None
    ignore_range: bool = False
    shift_range: int = 0
    body: bytes | None = None


class FaultServer:
    """Files by path; faults by path, one a request, in order; every request is remembered, its query as
    the header `?`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    def add(self, path: str, content: bytes, *faults: Fault) -> str:
        """Serve a file, after the faults; gives its URL."""
        self.files[path] = content
        self.faults[path] = list(faults)
        return self.url + path

    def add_dataset(self, repository: str, files: dict[str, bytes]) -> None:
        """Serve a data set as the hub does, at `main` and at its commit."""
        self._add_repository("datasets", f"datasets/{repository}", repository, files)

    def add_model(self, repository: str, files: dict[str, bytes]) -> None:
        """Serve a model as the hub does, at `main` and at its commit."""
        self._add_repository("models", repository, repository, files)

    def _add_repository(
        self, api: str, prefix: str, repository: str, files: dict[str, bytes]
    ) -> None:
        info = {
            "id": repository,
            "sha": COMMIT,
            "siblings": [{"rfilename": name} for name in files],
            "private": False,
            "tags": [],
        }
        for revision in ("main", COMMIT):
            path = f"/api/{api}/{repository}/revision/{revision}"
            self.add(path, json.dumps(info).encode())
            self.types[path] = "application/json"
            tree = f"/api/{api}/{repository}/tree/{revision}"
            self.add(tree, json.dumps(_tree(files)).encode())
            self.types[tree] = "application/json"
            for name, content in files.items():
                self.add(f"/{prefix}/resolve/{revision}/{name}", content)

    def asked(self, path: str) -> list[dict[str, str]]:
        """Headers of the GET requests for a path, in order."""
        return [
            headers for method, asked, headers in self.requests if (method, asked) == ("GET", path)
        ]


def _tree(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The hub's listing of a repository's files."""
    return [
        {
            "type": "file",
            "path": name,
            "size": len(content),
            "oid": hashlib.sha1(content).hexdigest(),
        }
        for name, content in files.items()
    ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        server: FaultServer = self.server.state
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()} | {"?": query}
        server.requests.append((self.command, path, headers))
        faults = server.faults.get(path, [])
        fault = faults.pop(0) if faults and with_body else Fault()
        if fault.status or path not in server.files:
            missing = {"X-Error-Code": "RepoNotFound"} if path.startswith("/api/") else {}
            self._status(fault.status or 404, fault.headers if fault.status else missing)
        else:
            self._file(path, server.files[path], fault, with_body)

    def _status(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, path: str, content: bytes, fault: Fault, with_body: bool) -> None:
        server: FaultServer = self.server.state
        content = content if fault.body is None else fault.body
        tag = '"' + hashlib.md5(content).hexdigest() + '"'
        start = self._start(content, tag, fault)
        if start is not None and start >= len(content):
            self._status(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[start or 0 :]
        self.send_response(200 if start is None else 206)
        self.send_header("ETag", tag)
        self.send_header("Content-Type", server.types.get(path, "application/octet-stream"))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(fault.announce or len(body)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body if fault.cut_after is None else body[: fault.cut_after])
        # A connection whose length was a lie cannot be used again.
        self.close_connection = fault.cut_after is not None or fault.announce is not None

    def _start(self, content: bytes, tag: str, fault: Fault) -> int | None:
        asked = self.headers.get("Range")
        condition = self.headers.get("If-Range", tag)
        if not asked or condition != tag or fault.ignore_range:
            return None
        return max(0, int(asked.removeprefix("bytes=").split("-")[0]) - fault.shift_range)


@contextlib.contextmanager
def fault_server() -> Iterator[FaultServer]:
    """Run the server in a thread."""
    state = FaultServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.state = state
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

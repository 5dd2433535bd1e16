"""A Hugging Face hub on the loopback that takes uploads: repositories, commits and large files, held in memory."""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer:
    """What was uploaded: `files` by repository and path, `private` by repository; `token` is the one that may write."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.url = ""
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.large: dict[str, bytes] = {}

    def commit(self, repository: str, lines: list[dict[str, Any]]) -> None:
        """Take the lines of a commit; a large file must have been uploaded before."""
        for line in lines:
            own = line["value"]
            if line["key"] == "file":
                self.files[repository][own["path"]] = base64.b64decode(own["content"])
            elif line["key"] == "lfsFile":
                self.files[repository][own["path"]] = self.large[own["oid"]]


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def log_message(self, *_: Any) -> None:
        pass

    def _reply(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        repository = re.fullmatch(r"/api/models/([^/]+/[^/?]+)(?:/revision/main)?", self.path)
        is_owner = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        name = repository[1] if repository else ""
        if self.hub.private.get(name) and not is_owner:
            self._reply({"error": "bad token"}, 401)
        elif name in self.hub.private:
            self._reply({"id": name, "sha": COMMIT, "private": self.hub.private[name], "tags": []})
        else:
            self._reply({"error": "not found"}, 404)

    def do_PUT(self) -> None:
        content = self._body()
        oid = hashlib.sha256(content).hexdigest()
        assert self.path == f"/large/{oid}"
        self.hub.large[oid] = content
        self._reply({})

    def do_POST(self) -> None:
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._reply({"error": "bad token"}, 401)
            return
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._reply({"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            self._reply({"files": modes})
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif found := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            self.hub.commit(found[1], [json.loads(line) for line in body.splitlines()])
            url = f"{self.hub.url}/{found[1]}/commit/{COMMIT}"
            self._reply({"success": True, "commitOid": COMMIT, "commitUrl": url})
        else:
            self._reply({"error": f"unknown: {path}"}, 404)

    def _create(self, asked: dict[str, Any]) -> None:
        owner = asked.get("organization") or "me"
        name = f"{owner}/{asked['name']}"
        url = f"{self.hub.url}/{name}"
        if name in self.hub.private:
            self._reply({"error": "there already", "url": url}, 409)
            return
        self.hub.private[name] = bool(asked.get("private") or asked.get("visibility") == "private")
        self.hub.files[name] = {}
        self._reply({"url": url, "id": name})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {
                "oid": own["oid"],
                "size": own["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/large/{own['oid']}"}},
            }
            for own in asked["objects"]
        ]
        self._reply({"transfer": "basic", "objects": objects})


@contextlib.contextmanager
def hub_server(token: str) -> Iterator[HubServer]:
    """A hub that listens while the block runs."""
    hub = HubServer(token)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()

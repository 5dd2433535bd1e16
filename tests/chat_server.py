"""A server on the loopback that answers as OpenAI's API does, and fails in the ways that servers fail."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tiny-sql"


def answer_of(question: str, seed: int) -> str:
    """What the model writes: SQL that tells which question it answers, and by which seed it was drawn."""
    return f"```sql\nSELECT {len(question)}, {seed} FROM singer\n```"


def _answer(body: dict[str, Any], seed: int) -> str:
    return answer_of(body["messages"][-1]["content"], seed)


@dataclass
class Failure:
    """What happens to one request instead of an answer.

    Attributes:
        status: answered with an error in OpenAI's form.
        message: of that error.
        param: the key of the request that it names.
        headers: sent with it.
        drop: the connection is closed without an answer.
        cut: so many bytes of the answer are sent, announced as all of it.
        short: so many bytes of the answer are sent, while all were announced.
        slow: seconds before the answer.
    """

    status: int = 0
    message: str = "broken"
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: int | None = None
    short: int | None = None
    slow: float = 0.0


class ChatServer:
    """Answers by messages; failures, one a request, in order; requests and their headers are remembered.

    Attributes:
        fail: what happens to a request, by its body; None for an answer. Asked after `failures` has run out.
        knows_n: whether several answers are given to one request.
        tells_logprobs: whether log-probabilities are told.
        answer: what the model writes, by its request and the seed of the answer.
        under_way: how many requests were in work at a time, at most.
    """

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.fail: Callable[[dict[str, Any]], Failure | None] = lambda body: None
        self.key = ""
        self.knows_n = True
        self.tells_logprobs = True
        self.answer: Callable[[dict[str, Any], int], str] = _answer
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.authorizations: list[str] = []
        self.under_way = 0
        self._now = 0
        self._lock = threading.Lock()
        self.url = ""

    @contextlib.contextmanager
    def working(self, body: dict[str, Any], authorization: str) -> Iterator[Failure | None]:
        """Note a request while it is in work; what happens to it."""
        with self._lock:
            self.requests.append(body)
            self.times.append(time.monotonic())
            self.authorizations.append(authorization)
            self._now += 1
            self.under_way = max(self.under_way, self._now)
            failure = self.failures.pop(0) if self.failures else self.fail(body)
        try:
            yield failure
        finally:
            with self._lock:
                self._now -= 1

    def refusal(self, body: dict[str, Any], authorization: str) -> Failure | None:
        """What a server of this kind refuses."""
        if self.key and authorization != f"Bearer {self.key}":
            return Failure(401, f"Incorrect API key provided: {authorization}")
        if body["model"] != MODEL:
            return Failure(404, f"The model `{body['model']}` does not exist")
        return None

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request, in OpenAI's form."""
        count = body.get("n", 1) if self.knows_n else 1
        seed = body.get("seed", 0)
        texts = [self.answer(body, seed + number) for number in range(count)]
        limit = body.get("max_tokens", body.get("max_completion_tokens"))
        choices = [
            _choice(place, text, limit, self._tells(body)) for place, text in enumerate(texts)
        ]
        prompt = sum(len(message["content"].split()) for message in body["messages"])
        output = sum(min(len(text.split()), limit) for text in texts)
        usage = {"prompt_tokens": prompt, "completion_tokens": output}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": f"{MODEL}-2026-11",
            "choices": choices,
            "usage": usage | {"total_tokens": prompt + output},
        }

    def _tells(self, body: dict[str, Any]) -> bool:
        return self.tells_logprobs and body.get("logprobs", False)


def _choice(place: int, text: str, limit: int, with_logprobs: bool) -> dict[str, Any]:
    words = text.split()
    is_cut = len(words) > limit
    told = [{"token": word, "logprob": -0.5 - place} for word in words[:limit]]
    return {
        "index": place,
        "message": {"role": "assistant", "content": " ".join(words[:limit]) if is_cut else text},
        "finish_reason": "length" if is_cut else "stop",
        "logprobs": {"content": told} if with_logprobs else None,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_HttpServer"

    def do_POST(self) -> None:
        chat = self.server.chat
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        authorization = self.headers.get("Authorization", "")
        with chat.working(body, authorization) as failure:
            failure = failure or chat.refusal(body, authorization) or Failure()
            time.sleep(failure.slow)
            if failure.drop:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if failure.status:
                error = {"message": failure.message, "param": failure.param, "type": "error"}
                self._send(failure.status, {"error": error}, failure)
            else:
                self._send(200, chat.reply(body), failure)

    def _send(self, status: int, value: dict[str, Any], failure: Failure) -> None:
        content = json.dumps(value).encode()[: failure.cut]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, text in failure.headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content[: failure.short])
        if failure.short is not None:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _HttpServer(ThreadingHTTPServer):
    chat: ChatServer

    def handle_error(self, *_: Any) -> None:
        """A client that has gone is no news."""


@contextlib.contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A server until the block ends."""
    with _HttpServer(("127.0.0.1", 0), _Handler) as http:
        http.chat = ChatServer()
        http.chat.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        try:
            yield http.chat
        finally:
            http.shutdown()

"""The web application of `sqladder serve`: a page for people, and an endpoint for programs that know OpenAI's."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from sqladder.asking import chat_api
from sqladder.asking.desk import Desk, UnknownVariantError
from sqladder.asking.kept_pairs import Pairs
from sqladder.asking.shown_answers import as_texts
from sqladder.errors import LOG, InputError
from sqladder.files import Row, parse_json

_PAGE = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_FOR_PROGRAMS = "/v1/models and /v1/chat/completions"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class App:
    """What the routes share.

    Attributes:
        desk: the variants.
        pairs: where pairs are kept.
        rows: rows of a result that are sent at most.
        token: what each request but those for the page has to bring; None where none is asked for.
    """

    desk: Desk
    pairs: Pairs
    rows: int
    token: str | None = None

    def application(self) -> web.Application:
        """The application, to be run once."""
        app = web.Application(middlewares=[self._in_words, self._guarded])
        for path in _PAGE:
            app.router.add_get(path, _page)
        app.router.add_get("/variants", self._variants)
        app.router.add_post("/ask", self._ask)
        app.router.add_post("/pairs", self._keep)
        app.router.add_get("/v1/models", self._models)
        # Of two runs, a variant's name is its folder.
        app.router.add_get("/v1/models/{name:.+}", self._model)
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    @web.middleware
    async def _in_words(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Answer whatever is wrong in OpenAI's form, which the page reads too."""
        headers: dict[str, str] = {}
        code = None
        try:
            response = await handler(request)
        except UnknownVariantError as error:
            status, message, code = 404, str(error), "model_not_found"
        except InputError as error:
            status, message = 400, str(error)
        except web.HTTPNotFound:
            status = 404
            message = (
                f"there is no {request.path} here, but the page / and for programs {_FOR_PROGRAMS}"
            )
        except web.HTTPException as error:
            # What says which methods are allowed, or how a token is given, goes along.
            headers = {k: v for k, v in error.headers.items() if k in ("Allow", "WWW-Authenticate")}
            status, message = error.status, error.text or error.reason
        except Exception:
            LOG.exception(f"{request.method} {request.path} failed")
            status, message = 500, "a fault of the server: its log says more"
        else:
            response.headers.update(_HEADERS)
            return response
        return web.json_response(
            chat_api.error(message, status, code), status=status, headers=headers | _HEADERS
        )

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse who does not know the token, and pages of other sites in the browser of who does."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text=f"a page of {origin} may not ask here")
        if self.token is None:
            # A site whose name has come to mean this machine would pass for its own origin.
            if not is_loopback(_name_of(request.host)):
                raise web.HTTPForbidden(text=f"this is not {request.host}: call it localhost")
        elif request.path not in _PAGE:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            # A header may hold bytes that are no text.
            bytes_given = given.encode(errors="surrogateescape")
            if not hmac.compare_digest(bytes_given, self.token.encode()):
                raise web.HTTPUnauthorized(
                    text="the token is missing or wrong: send it as `Authorization: Bearer <token>`",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        return await handler(request)

    async def _variants(self, request: web.Request) -> web.Response:
        """What the page shows before a question is asked."""
        pairs = str(self.pairs.path)
        return web.json_response(
            {"variants": self.desk.names, "database": self.desk.database, "pairs": pairs}
        )

    async def _ask(self, request: web.Request) -> web.Response:
        """Have one variant answer {variant, question}: its SQL with the rows, or the text that holds no SQL."""
        body = await _body(request)
        answer = await self.desk.ask(_text(body, "variant"), _text(body, "question"), self.rows)
        rows = as_texts(answer.result) if answer.result else {}
        return web.json_response({"sql": answer.sql, "text": answer.text, **rows})

    async def _keep(self, request: web.Request) -> web.Response:
        """Keep a pair, {question, sql}, if its SQL has a result; gives its rows, and whether it is new."""
        body = await _body(request)
        question, sql = _text(body, "question"), _text(body, "sql")
        result = await self.desk.execute(sql, self.rows)
        if result is None:
            raise InputError("the SQL is empty: write one")
        if result.problem:
            raise InputError(f"not kept, since it gives no result: {result.problem}")
        return web.json_response({"new": self.pairs.add(question, sql), **as_texts(result)})

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(chat_api.models(self.desk.names))

    async def _model(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.desk.check(name)
        return web.json_response(chat_api.model(name))

    async def _complete(self, request: web.Request) -> web.Response:
        asked = chat_api.read_request(await _body(request))
        answer = await self.desk.ask(asked.model, asked.question, rows=0)
        if asked.stream:
            text = chat_api.events(asked, answer)
            return web.Response(text=text, content_type="text/event-stream")
        return web.json_response(chat_api.completion(asked, answer))


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine alone, to whoever uses it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """A host without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _page(request: web.Request) -> web.Response:
    name, kind = _PAGE[request.path]
    text = (files("sqladder.asking") / "page" / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind)


async def _body(request: web.Request) -> Row:
    # A form of another site cannot send this type without being asked for its origin first.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the body is to be application/json")
    try:
        text = (await request.read()).decode()
    except UnicodeDecodeError as error:
        raise InputError("the body is no UTF-8 text") from error
    body = parse_json(text, "the body")
    if not isinstance(body, dict):
        raise InputError("the body is no JSON object")
    return body


def _text(body: Row, key: str) -> str:
    if not isinstance(body.get(key), str):
        raise InputError(f"{key!r} is missing, or no text")
    return body[key]

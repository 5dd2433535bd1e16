"""The subcommand `serve`: variants of finished runs behind a page and an endpoint like OpenAI's."""

import argparse
import logging
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqladder.asking.ask_command import add_database_arguments, check_packages, check_rows
from sqladder.errors import LOG, InputError

if TYPE_CHECKING:
    from sqladder.asking.web_app import App

HELP = "Serve variants of finished runs on this machine: a page to ask them at, and an endpoint like OpenAI's."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument(
        "variants",
        nargs="+",
        type=Path,
        metavar="variant",
        help="folder of a variant, such as results/full; several are asked side by side",
    )
    add_database_arguments(parser)
    parser.add_argument(
        "--pairs",
        type=Path,
        default=Path("pairs.csv"),
        metavar="FILE",
        help="CSV that questions with right SQL are added to (default pairs.csv)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; one that others reach needs a token (default 127.0.0.1)",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default 8765)")
    parser.add_argument(
        "--token-variable",
        metavar="NAME",
        help="environment variable with the token that callers have to send",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C.

    Raises:
        InputError: an argument, a run's folder or the database is wrong, or the port is taken.
    """
    check_rows(args.rows)
    check_packages("serve", "aiohttp")
    # Only here: other commands need none of it.
    from sqladder.asking.database import laid_out
    from sqladder.asking.desk import Desk
    from sqladder.asking.kept_pairs import Pairs
    from sqladder.asking.settings import read_asking
    from sqladder.asking.web_app import App

    # What a job says of each of its steps is of no use to who waits for an answer.
    LOG.setLevel(logging.WARNING)
    token = _token(args.token_variable)
    for variant in args.variants:
        read_asking(variant)
    with (
        _listening(args.host, args.port, token) as listening,
        laid_out(args.database) as database,
        tempfile.TemporaryDirectory() as work,
    ):
        pairs = Pairs(args.pairs.absolute(), database.name)
        desk = Desk(args.variants, database, Path(work))
        try:
            _serve(App(desk, pairs, args.rows, token), listening)
        finally:
            desk.close()
    return 0


def _token(variable: str | None) -> str | None:
    if variable is None:
        return None
    token = os.environ.get(variable, "").strip()
    if not token:
        raise InputError(f"the environment variable {variable} (--token-variable) holds no token")
    return token


def _listening(host: str, port: int, token: str | None) -> socket.socket:
    """The socket, bound before a model is loaded: a port that is taken is said at once.

    Raises:
        InputError: the address is none of this machine, is taken, or can be reached by others and there is no token.
    """
    from sqladder.asking.web_app import is_loopback

    if not 0 <= port <= 65535:
        raise InputError(f"--port is {port}; ports go from 0, a free one, to 65535")
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host {host} is no address of this machine: {error}") from error
    if token is None and not is_loopback(str(address[0])):
        raise InputError(
            f"others can reach {host}, and whoever does could read the database: put a token into an environment "
            "variable and name it by --token-variable, or listen on 127.0.0.1"
        )
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host} port {port}: {error.strerror}; name another by --port, or 0 for a free one"
        ) from error


def _serve(app: "App", listening: socket.socket) -> None:
    from aiohttp import web

    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    names = ", ".join(app.desk.names)

    def started(*_: object) -> None:
        sys.stdout.write(f"{names} on http://{shown}:{port}/ (Ctrl-C ends)\n")
        sys.stdout.flush()

    web.run_app(app.application(), sock=listening, print=started, access_log=None)

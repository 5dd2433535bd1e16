"""A server that answers one prompt after the other, as it did in the run."""

import contextlib
import io
from pathlib import Path

from sqladder.asking.answerers import Grammars
from sqladder.files import Row
from sqladder.generation.outcome import prediction, repaired_prediction
from sqladder.generation.repair_rounds import Repairs
from sqladder.generation.served import Asker, first_key
from sqladder.generation.served_job import read_key
from sqladder.generation.served_repair import ServedRepairs
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import ServedDecoding
from sqladder.generation.work_file import WorkFile

# Somebody waits: what fails on the way is repeated for seconds, not for minutes.
_RETRIES = 2


class ServerAnswerer:
    """Asks a server (answerers.Answerer)."""

    def __init__(self, server: Server, decoding: ServedDecoding, folder: Path) -> None:
        """Take the server, how it is asked, and a folder for the answers while they are made.

        Raises:
            InputError: the environment variable with its key is not set.
        """
        self._server, self._decoding, self._folder = server, decoding, folder
        self._key = read_key(server.key_variable)

    def answer(self, row: Row, grammars: Grammars, repairs: Repairs | None) -> Row:
        """The prediction of one prompt (Answerer)."""
        with (
            WorkFile(self._folder / f"{row['id']}.work", {}) as work,
            contextlib.redirect_stderr(io.StringIO()),
        ):
            asker = Asker(self._server, self._key, work, 1, grammars, retries=_RETRIES)
            asker.ask("ask", {first_key(row): row["messages"]}, self._decoding)
            if repairs is None:
                answer = prediction(row["id"], work[first_key(row)])
            else:
                again = ServedRepairs(repairs, self._decoding)
                again.ask_again(asker, [row], {})
                samples = again.samples(work, row["id"])
                answer = repaired_prediction(row["id"], work[first_key(row)], samples)
        work.remove()
        return answer

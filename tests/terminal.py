"""Reading what a program has written on a terminal."""

import contextlib
import os


def shown_on(terminal: int) -> str:
    """Read a pseudo-terminal to its end, once nothing writes on it any more, and close it.

    The kernel hands the text over in pieces, so that one read may give only its beginning.
    """
    pieces = []
    with contextlib.suppress(OSError):  # EIO: no writer is left and everything was read
        while piece := os.read(terminal, 4096):
            pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode()

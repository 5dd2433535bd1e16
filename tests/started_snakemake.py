"""Snakemake, started once: a process that has imported it forks for each command line that it is given.

A start takes more CPU than a plan. Each fork is a process of its own, in a folder and an environment of its own, so
that logger, modules and exit code are those of the command: what it prints is what a user of `snakemake` sees.
"""

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def run_started(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> subprocess.CompletedProcess:
    """Return what `snakemake ARGUMENTS` gives in a folder; output is text, both streams in one."""
    with tempfile.NamedTemporaryFile("r+") as output:
        request = {
            "folder": str(folder),
            "arguments": arguments,
            "environment": environment,
            "output": output.name,
        }
        server = _server()
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(["snakemake", *arguments], code, output.read())


@functools.cache
def _server() -> subprocess.Popen:
    """Start the process that forks; it ends with its input, and so with this process."""
    command = [sys.executable, __file__]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def _serve() -> None:
    """Fork for each request on standard input; write the exit code of each."""
    import snakemake.cli

    snakemake.cli.get_argument_parser()  # looks for plugins, and imports them
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """Be the command, to the end of this process."""
    import snakemake.cli

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, path, flags in ((0, os.devnull, os.O_RDONLY), (1, output, os.O_WRONLY)):
        descriptor = os.open(path, flags)
        os.dup2(descriptor, stream)
        os.close(descriptor)
    os.dup2(1, 2)
    sys.path[0] = folder  # as `python -m snakemake` has it
    sys.argv = ["snakemake", *arguments]
    sys.stdin = open(0)  # noqa: SIM115
    sys.exit(snakemake.cli.main(arguments))


if __name__ == "__main__":
    _serve()

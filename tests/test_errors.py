"""How a program ends: with a line for its user, and a traceback only for a fault of its own."""

import errno
import signal
import subprocess
import sys
import time

import pytest

from sqladder.errors import INTERRUPTED, NOBODY_READS, InputError, run_main


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("rank is 0"), "error: rank is 0"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x"), "error: x: Is a directory"),
        (OSError(errno.ENOSPC, "No space left", "out"), "error: out: No space left"),
    ],
)
def test_what_the_user_can_mend_is_one_line(error, line):
    with pytest.raises(SystemExit) as end:
        run_main(raising(error))
    assert end.value.code == line


@pytest.mark.parametrize("error", [KeyError("id"), OSError(errno.EBADF, "Bad file descriptor")])
def test_a_fault_of_our_own_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        run_main(raising(error))


def started(code):
    program = f"from sqladder.errors import run_main\ndef main():\n    {code}\nrun_main(main)"
    command = [sys.executable, "-c", program]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, and what they start, do not hear Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_nobody_who_reads_on_ends_a_program_in_silence():
    process = started("[print(n) for n in range(100_000)]")
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (NOBODY_READS, "")


def test_ctrl_c_ends_a_program_with_one_word():
    process = started("import time; print('at work', flush=True); time.sleep(60)")
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert (process.wait(), process.stderr.read()) == (INTERRUPTED, "interrupted\n")


def test_a_name_that_is_no_text_can_be_printed():
    process = started("print('caf' + chr(0xdce9))")
    assert process.communicate()[0] == "caf\\udce9\n"


def test_logs_and_tracebacks_hold_no_escape_sequences_and_no_secrets():
    secret, colour = "https://me:hush@host/x?sig=hush", "\\x1b[31m"
    process = started(f"import sqladder.errors as e; e.LOG.info('{secret} {colour}'); 1 / len('')")
    text = process.stderr.read()
    assert process.wait() == 1
    assert "https://***@host/x?sig=*** \\x1b[31m" in text
    assert "ZeroDivisionError" in text
    process = started(f"raise KeyError('{secret} {colour}')")
    text += process.stderr.read()
    assert "KeyError" in text
    assert "hush" not in text
    assert "\x1b" not in text

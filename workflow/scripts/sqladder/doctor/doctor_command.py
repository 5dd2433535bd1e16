"""`sqladder doctor`: what can run on this machine, what cannot, and what mends it."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sqladder.doctor.findings import Finding
from sqladder.doctor.installed_parts import look_at_packages
from sqladder.doctor.machine import look_at_the_machine
from sqladder.starting.project_files import find_project
from sqladder.texts.numbers import plural

HELP = "say what can run on this machine, what cannot, and what mends it"
MARKS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "missing": ("✗", "red")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--json", action="store_true", help="write what was found as JSON")


def run(args: argparse.Namespace) -> int:
    """Look, and say what was found.

    Returns:
        1 where something that the demonstration needs is missing, else 0.
    """
    project = find_project()
    locks = project / "requirements" if project else None
    findings = [*look_at_the_machine(Path.cwd()), *look_at_packages(locks)]
    if args.json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        _show(findings)
    return int(any(finding.stops for finding in findings))


def _show(findings: Sequence[Finding]) -> None:
    # Not at the start of each other command.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Not cut where nobody looks at it through a window: a log holds whole sentences.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, colour = MARKS[finding.state]
        told = Text(finding.found)
        for line, style in ((finding.means, ""), (finding.mend and f"→ {finding.mend}", "bold")):
            if line:
                told.append(f"\n{line}", style)
        table.add_row(Text(mark, colour), Text(finding.name), told)
    console.print(table)
    console.print(Text(f"\n{verdict(findings)}"))


def verdict(findings: Sequence[Finding]) -> str:
    """What can run, in a sentence or two."""
    stopping = [finding.name for finding in findings if finding.stops]
    if stopping:
        return f"The demonstration (make report) cannot run here yet: {', '.join(stopping)}."
    notes = [finding.name for finding in findings if finding.state != "ok"]
    ready = "The demonstration (make report) can run here."
    if not notes:
        return f"{ready} So can everything else."
    return f"{ready} {plural(len(notes), 'thing')} to know of for the rest: {', '.join(notes)}."

"""What was looked at, and what it allows."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: ok; note, where something works less well; missing, where something cannot run.
        found: what there is.
        means: what that allows, or not; "" where the name says it.
        mend: a command or a sentence that changes it; "" where nothing has to.
        needed: whether the demonstration (`make report`) needs it.
    """

    name: str
    state: State
    found: str
    means: str = ""
    mend: str = ""
    needed: bool = False

    @property
    def stops(self) -> bool:
        """Whether the demonstration cannot run for it."""
        return self.needed and self.state == "missing"

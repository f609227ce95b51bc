"""The one kind of error that is shown to a person as a sentence, without a traceback."""

from __future__ import annotations


class AgentError(Exception):
    """Something a person can mend: what is wrong, and how to put it right.

    Neither text may hold anything that was said to the agent.

    Args:
        what: What is wrong, naming the file, device or setting.
        mend: What to do about it; may be empty when there is nothing to do.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  {self.mend}" if self.mend else self.what

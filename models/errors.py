"""What can go wrong with a model, as one sentence and how to mend it."""

from __future__ import annotations


class ModelError(Exception):
    """A model is missing, damaged, or cannot be fetched.

    Args:
        what: What is wrong, naming the model and the file or source; one line.
        mend: What to do about it; one line, may be empty.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}" if self.mend else self.what

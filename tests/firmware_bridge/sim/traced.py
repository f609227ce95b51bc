"""The firmware as it is, but telling which commands it carried out."""

import voiceboard.board
from machine import trace

_execute = voiceboard.board.Board.execute


def execute(self: object, kind: int, body: bytes, now: int) -> int:
    """Carry out a command, and tell."""
    result = _execute(self, kind, body, now)
    trace(f"did {kind} {body.hex() if body else '-'} {result}")
    return result


voiceboard.board.Board.execute = execute

import main  # noqa: E402, F401

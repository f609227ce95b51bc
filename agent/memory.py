"""Keeping the process small: what glibc holds of freed memory is given back to the system."""

from __future__ import annotations

import ctypes
import gc

_M_ARENA_MAX = -8
"""``mallopt(3)``'s number for the largest count of arenas."""


def one_heap() -> None:
    """Have all threads allocate from one heap; call this before they start.

    By default each thread gets an arena, which keeps what the largest job on it ever needed: some
    10 MB more for the agent's few threads, which hardly ever allocate at the same time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def release() -> None:
    """Give freed memory back, after starting or other work that comes once."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

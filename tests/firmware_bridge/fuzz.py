"""Fuzzes both ends of the line, guided by coverage: ``python fuzz.py host|board [flags]``.

Flags are libFuzzer's.

Needs atheris (``pip install voice-agent[fuzz]``). For example, ten minutes on the kept corpus:

    python tests/firmware_bridge/fuzz.py board -max_total_time=600

What it finds interesting is added to ``corpus/<target>``, which the ordinary tests replay.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

with atheris.instrument_imports(include=["firmware_bridge"]):
    import fuzz_targets

TARGETS = {"host": fuzz_targets.check_host, "board": fuzz_targets.check_board}


def main() -> None:
    """Run libFuzzer on one target."""
    name, *flags = sys.argv[1:]
    corpus = HERE / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], "-max_len=400", "-timeout=10", *flags, str(corpus)],
                  TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

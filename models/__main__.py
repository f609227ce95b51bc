"""``python -m models``: the command ``voice-agent models`` before the agent is installed."""

from __future__ import annotations

import argparse
import sys

from models.command import configure, run
from models.errors import ModelError


def main() -> int:
    """Parse the arguments and run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models", description="Models of voice-agent.")
    configure(parser)
    try:
        return run(parser.parse_args())
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())

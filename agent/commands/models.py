"""``voice-agent models``: list, fetch and verify the models."""

from __future__ import annotations

import argparse

from agent.errors import AgentError
from models.command import configure as configure  # the parser is the models package's own

HELP = "list, fetch and verify the models"


def run(args: argparse.Namespace) -> int:
    """Carry out the action; returns the exit status.

    Raises:
        AgentError: A name is not in the catalogue, or none was given.
    """
    from models.command import run as run_models
    from models.errors import ModelError

    try:
        return run_models(args)
    except ModelError as error:
        raise AgentError(error.what, error.mend) from error

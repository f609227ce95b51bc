"""The models that the agent runs: where they are, and how they are fetched.

    from models import locate
    folder = locate("silero-vad")          # ModelError says how to fetch what is missing

The catalogue is ``models/catalogue.toml``; installed files are under ``models/files/<name>/``, or
under ``$VOICE_AGENT_MODELS/<name>/``. Works on the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.catalogue import Catalogue, Model, catalogue
from models.errors import ModelError
from models.installed import installed, locate, models_root, verify

__all__ = ["Catalogue", "Model", "ModelError", "catalogue", "fetch", "installed", "locate",
           "models_root", "verify"]


def fetch(names: Iterable[str], *, offline: Path | None = None) -> None:
    """Install models; see ``models.install.fetch``, which can also show progress."""
    from models.install import fetch as install

    install(names, offline=offline)

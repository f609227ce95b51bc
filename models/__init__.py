"""The models that the agent runs: where they are, and how they are fetched.

    from models import locate
    folder = locate("silero-vad")          # ModelError says how to fetch what is missing

The catalogue is ``models/catalogue.toml``; installed files are under ``models/files/<name>/``, or
under ``$VOICE_AGENT_MODELS/<name>/``. Works on the standard library alone.
"""

from __future__ import annotations

from models.catalogue import Catalogue, Model, catalogue
from models.errors import ModelError
from models.installed import installed, locate, models_root, verify

__all__ = ["Catalogue", "Model", "ModelError", "catalogue", "installed", "locate", "models_root",
           "verify"]

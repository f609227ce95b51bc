"""The dialogue: understanding, skills, the pending question, catalogues and handlers.

``Dialogue.respond`` takes what was heard and gives directives; ``Handlers`` carry them out.
Importing this package is cheap; the sentence templates are parsed at the first turn, or by
``Dialogue.warm``.
"""

from __future__ import annotations

from agent.dialogue.manager import Dialogue
from agent.dialogue.settings import CommandSettings, Settings
from agent.dialogue.turns import Heard, Reply

__all__ = ["CommandSettings", "Dialogue", "Heard", "Reply", "Settings"]

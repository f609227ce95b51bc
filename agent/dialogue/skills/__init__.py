"""The skills: each handles some intents; one skill a file."""

from __future__ import annotations

from agent.dialogue.skills.call import CallSkill
from agent.dialogue.skills.general import GeneralSkill
from agent.dialogue.skills.home import HomeSkill
from agent.dialogue.skills.lists import ListsSkill
from agent.dialogue.skills.places import PlacesSkill
from agent.dialogue.skills.timers import TimersSkill
from agent.dialogue.turns import Skill


def all_skills() -> tuple[Skill, ...]:
    """Every skill of the product."""
    return (CallSkill(), GeneralSkill(), HomeSkill(), ListsSkill(), PlacesSkill(), TimersSkill())

"""Shopping and to-do lists: put something on, take it off, read, clear."""

from __future__ import annotations

from agent.dialogue.asking import confirm
from agent.dialogue.text import canonical
from agent.dialogue.turns import Act, Turn
from agent.dialogue.understanding import Intent
from agent.dialogue.wording import listed
from agent.events import ChangeList, Display

_SHOPPING = "Shopping List"


class ListsSkill:
    """Keeps lists."""

    name = "lists"
    intents = frozenset({"HassListAddItem", "HassShoppingListAddItem", "HassListRemoveItem",
                         "HassListCompleteItem", "HassShoppingListCompleteItem", "ListRead",
                         "ListClear"})

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Change or read a list."""
        name = intent.text("name") or _shopping(turn)
        if intent.name in ("HassListAddItem", "HassShoppingListAddItem"):
            return _add(intent.text("item"), name)
        if intent.name == "ListRead":
            return _read(name, turn)
        if intent.name == "ListClear":
            return _clear(name, turn)
        return _remove(intent.text("item"), name, turn)


def _shopping(turn: Turn) -> str:
    """The list that "the list" means: the one for shopping."""
    lists = turn.catalogue.home.of_kind(("todo",))
    return next((d.name for d in lists if any("shopping" in name for name in d.names)), _SHOPPING)


def _spoken(name: str) -> str:
    said = canonical(name)
    return said if said.endswith("list") else f"{said} list"


def _add(item: str, name: str) -> Act:
    return Act("HassListAddItem", f"add {item} to {name}",
               f"Added {item} to the {_spoken(name)}.", (ChangeList(name, "add", item),))


def _remove(item: str, name: str, turn: Turn) -> Act:
    summary = f"remove {item} from {name}"
    if canonical(item) not in map(canonical, turn.lists.items(name)):
        return Act("HassListRemoveItem", summary,
                   f"{item.capitalize()} is not on the {_spoken(name)}.")
    return Act("HassListRemoveItem", summary, f"Removed {item} from the {_spoken(name)}.",
               (ChangeList(name, "remove", item),))


def _read(name: str, turn: Turn) -> Act:
    items = turn.lists.items(name)
    summary = f"read {name}"
    if not items:
        return Act("ListRead", summary, f"The {_spoken(name)} is empty.")
    return Act("ListRead", summary, f"On the {_spoken(name)}: {listed(items, 'and')}.",
               (Display(name, items),))


def _clear(name: str, turn: Turn) -> Act:
    def clear(turn: Turn) -> Act:
        return Act("ListClear", f"clear {name}", f"The {_spoken(name)} is empty now.",
                   (ChangeList(name, "clear"),))

    if not turn.lists.items(name):
        return Act("ListClear", f"clear {name}", f"The {_spoken(name)} is empty.")
    return confirm("ListClear", f"Clear the whole {_spoken(name)}?", f"clear {name}?", clear, turn)

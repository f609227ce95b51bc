"""What a turn leaves in the store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent.conversation.memory import StoredMemory
from agent.dialogue.turns import Reply
from agent.events import Expectation, ExpectSpeech, Speak
from agent.store import BestEffortStore, Settings


def kept(folder: Path, question: ExpectSpeech) -> dict[str, str]:
    """The texts of a turn that asks ``question``, and what is still there after its dialogue."""
    async def scenario() -> dict[str, str]:
        store = BestEffortStore(Settings(directory=folder / "state"), print)
        await store.start()
        memory = StoredMemory(store, lambda: ())
        memory.opened()
        memory.heard("call Meg")
        row = await memory.replied(Reply((Speak("Which Meg?"), question), "Call", closed=False))
        assert row is not None and store.store is not None
        texts = {item.kind: item.text for item in await store.store.open_items(row)}
        memory.closed()
        texts["later"] = json.dumps([item.kind for item in await store.store.carry_over()])
        await store.close()
        return texts
    return asyncio.run(scenario())


def test_the_names_that_a_question_offers_outlive_their_dialogue(tmp_path: Path) -> None:
    offered = ("Meg Jones", "Zoë Bauer")
    texts = kept(tmp_path, ExpectSpeech(Expectation.NAME, offered))
    assert json.loads(texts["consulted"]) == list(offered)
    assert json.loads(texts["later"]) == ["consulted"]


@pytest.mark.parametrize("question", [ExpectSpeech(Expectation.YES_NO, ("yes", "no")),
                                      ExpectSpeech(Expectation.NAME)])
def test_a_question_that_offers_no_names_leaves_none(tmp_path: Path,
                                                     question: ExpectSpeech) -> None:
    texts = kept(tmp_path, question)
    assert set(texts) == {"said", "reply", "later"} and json.loads(texts["later"]) == []

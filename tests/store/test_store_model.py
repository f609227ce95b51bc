"""The store against a plain model in memory, for any sequence of what may happen to it."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agent.store import (
    NewItem,
    Retention,
    deleting,
    interactions,
    replacing,
    session,
    sweep,
    verify,
)

DIALOGUES = st.sampled_from(["a", "b", "ab"])
TURNS = st.integers(0, 2)
EVENTS = st.sampled_from(["wake utterance", "speak expect-speech", "speak", "intent:Call speak"])
ITEMS = st.lists(st.tuples(st.sampled_from(["said", "reply", "screen", "places", "own"]),
                           st.text(max_size=20)), max_size=3)
SPANS = {"said": 100, "reply": 200, "screen": 400, "places": 800, "own": 50}
CARRIED = ("screen", "places", "consulted")
RETENTION = Retention(interaction_s=3000, said_s=100, reply_s=200, screen_s=400, places_s=800,
                      consulted_s=800, other_s=50, epoch_s=30)


@dataclasses.dataclass
class Text:
    kind: str
    text: str
    created: int
    expires: int


@dataclasses.dataclass
class Turn:
    events: list[str]
    created: int
    expires: int
    texts: dict[str, Text]


class StoreMachine(RuleBasedStateMachine):
    """Everything that may happen, done to the store and to a dictionary."""

    make_place: Any

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
        self.place = self.make_place(self.folder)
        self.model: dict[tuple[str, int], Turn] = {}
        self.session = self.place.session()

    def teardown(self) -> None:
        if hasattr(self, "session"):
            session.close(self.session)
            shutil.rmtree(self.folder)

    def live(self, created: int, expires: int) -> bool:
        moment = self.session.moment()
        return expires > moment.now and (created >= moment.began or expires > moment.wall)

    def turns(self, dialogue: str | None = None) -> dict[tuple[str, int], Turn]:
        return {key: turn for key, turn in sorted(self.model.items())
                if dialogue in (None, key[0]) and self.live(turn.created, turn.expires)}

    def strip(self, dialogue: str) -> None:
        turns = self.turns(dialogue)
        for key, turn in turns.items():
            turn.texts = {i: t for i, t in turn.texts.items() if t.kind in CARRIED}
            if key == max(turns) and "closed" not in turn.events:
                turn.events.append("closed")

    @rule(dialogue=DIALOGUES, number=TURNS, events=EVENTS, items=ITEMS)
    def append(self, dialogue: str, number: int, events: str,
               items: list[tuple[str, str]]) -> None:
        now = self.session.moment().now
        turn = self.turns().get((dialogue, number))
        if turn and len(turn.events) + len(events.split()) > 64:
            return
        turn = turn or Turn([], now, now + 3_000_000, {})
        turn.events += events.split()
        row = interactions.append(self.session, dialogue, number, events,
                                  [NewItem(kind, text) for kind, text in items])
        assert row.events == tuple(turn.events) and row.created_at == turn.created
        assert row.expires_at == turn.expires
        new = row.item_ids[len(row.item_ids) - len(items):]
        opened = {item.id: item for item in interactions.open_items(self.session, row)}
        for item_id, (kind, text) in zip(new, items, strict=True):
            expires, span = opened[item_id].expires_at, SPANS[kind] * 1000
            assert now < expires <= now + span
            turn.texts[item_id] = Text(kind, text, now, expires)
        self.model[dialogue, number] = turn

    @rule(dialogue=DIALOGUES, number=TURNS)
    def close_turn(self, dialogue: str, number: int) -> None:
        row = interactions.close_turn(self.session, dialogue, number)
        turn = self.turns().get((dialogue, number))
        assert (row is None) == (turn is None)
        if turn and not ("expect-speech" in turn.events and "closed" not in turn.events):
            self.strip(dialogue)

    @rule(dialogue=DIALOGUES)
    def close_dialogue(self, dialogue: str) -> None:
        interactions.close_dialogue(self.session, dialogue)
        sweep.expire_epochs(self.session)
        self.strip(dialogue)

    @rule(dialogue=DIALOGUES, number=TURNS)
    def delete(self, dialogue: str, number: int) -> None:
        there = (dialogue, number) in self.turns()
        assert deleting.delete(self.session, dialogue, number) == there
        if there:
            del self.model[dialogue, number]

    @rule(seconds=st.sampled_from([0.001, 10, 29.999, 30, 60, 150, 500, 1500, 3000]))
    def time_passes(self, seconds: float) -> None:
        self.place.clock.pass_s(seconds)

    @rule(jump=st.sampled_from([-365 * 86_400, -60, 60, 365 * 86_400]))
    def wall_clock_jumps(self, jump: int) -> None:
        self.place.clock.wall += jump * 1000

    @rule()
    def sweep(self) -> None:
        sweep.run(self.session)
        count = self.session.connection.execute(
            "SELECT (SELECT count(*) FROM interaction), (SELECT count(*) FROM item)").fetchone()
        live = self.turns().values()
        assert count[0] == len(live)
        assert count[1] >= sum(self.live(t.created, t.expires)
                               for turn in live for t in turn.texts.values())

    @rule()
    def checkpoint(self) -> None:
        assert session.checkpoint(self.session)

    @rule()
    def restart(self) -> None:
        session.close(self.session)
        self.session = self.place.session()

    @rule()
    def crash(self) -> None:
        image = self.place.copy_to(self.folder / "image")
        self.session.connection.close()
        shutil.copy(image.path, self.place.path)
        for log in image.settings.directory.glob("*-wal"):
            shutil.copy(log, self.place.settings.directory)
        shutil.rmtree(image.settings.directory)
        self.session = self.place.session()

    @rule(off=st.sampled_from([-365 * 86_400, -60, 0, 60, 2000, 365 * 86_400]))
    def reboot(self, off: int) -> None:
        session.close(self.session)
        self.place.reboot(off)
        self.session = self.place.session()
        for turn in self.model.values():
            turn.texts.clear()

    @rule()
    def rotate(self) -> None:
        session.close(self.session)
        replacing.rotate(self.place.settings, clock=self.place.clock, environ=self.place.environ)
        self.session = self.place.session()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "session"):
            return
        live = self.turns()
        for dialogue in ("a", "b", "ab"):
            for number in range(3):
                row = interactions.get(self.session, dialogue, number)
                turn = live.get((dialogue, number))
                assert (row is None) == (turn is None)
                if row and turn:
                    assert row.events == tuple(turn.events)
                    self.same_texts(interactions.open_items(self.session, row), turn)
        carried = [(t.created, i, t.text) for turn in live.values()
                   for i, t in turn.texts.items()
                   if t.kind in CARRIED and self.live(t.created, t.expires)]
        carried.sort(key=lambda one: one[:2], reverse=True)
        found = interactions.carry_over(self.session)
        assert [i.text for i in found] == [text for _, _, text in carried[:32]]

    def same_texts(self, found: tuple[Any, ...], turn: Turn) -> None:
        expected = {i: t.text for i, t in turn.texts.items() if self.live(t.created, t.expires)}
        assert {item.id: item.text for item in found} == expected

    @invariant()
    def checks_out(self) -> None:
        if hasattr(self, "session"):
            verify.in_full(self.session.connection, self.session.path)


def run(place: Any, examples: int, steps: int) -> None:
    def make_place(folder: Path) -> Any:
        fresh = dataclasses.replace(place, clock=type(place.clock)())
        for child in place.memory.iterdir():
            shutil.rmtree(child)
        return fresh.with_settings(directory=folder / "state", retention=RETENTION)

    machine = type("Machine", (StoreMachine,), {"make_place": staticmethod(make_place)})
    run_state_machine_as_test(machine, settings=settings(
        max_examples=examples, stateful_step_count=steps, deadline=None,
        suppress_health_check=list(HealthCheck), database=None))


def test_the_store_agrees_with_the_model(place: Any) -> None:
    run(place, examples=20, steps=25)


@pytest.mark.long
def test_the_store_agrees_with_the_model_for_long(place: Any) -> None:
    run(place, examples=200, steps=60)

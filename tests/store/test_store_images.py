"""Whatever the card did to the files: a state that was acknowledged, or a typed error."""

from __future__ import annotations

import random
import shutil
from typing import Any

import pytest

from agent.store import DamagedStoreError, NewItem, StoreError, interactions, rows, session
from agent.store.connection import PAGE_SIZE, WAL_FRAME, log_path, translated

EVENTS = "utterance speak expect-speech"


def state(opened: Any) -> Any:
    """Everything that the store returns, in one comparable value."""
    moment = opened.moment()
    found = {}
    for (dialogue,) in opened.connection.execute(
            "SELECT DISTINCT dialogue_id FROM interaction").fetchall():
        for row in rows.of_dialogue(opened, dialogue, moment):
            items = interactions.open_items(opened, row)
            assert [item.id for item in items] == list(row.item_ids)
            found[row.id] = (row, tuple((i.id, i.text) for i in items))
    return tuple(sorted(found.items()))


def spoil(data: Any, chance: Any) -> Any:
    """One of the things that happen to a file."""
    if not data:
        return data
    spoiled = bytearray(data)
    how = chance.choice(("flip", "flips", "cut", "cut at a page", "torn", "zeroed"))
    at = chance.randrange(len(data))
    if how == "flip":
        spoiled[at] ^= 1 << chance.randrange(8)
    elif how == "flips":
        for _ in range(8):
            spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del spoiled[at:]
    elif how == "cut at a page":
        del spoiled[at // PAGE_SIZE * PAGE_SIZE:]
    elif how == "torn":
        sector = at // 512 * 512
        spoiled[sector:sector + 512] = chance.randbytes(len(spoiled[sector:sector + 512]))
    else:
        spoiled[at // 512 * 512:] = bytes(len(spoiled) - at // 512 * 512)
    return bytes(spoiled)


def act(opened: Any, chance: Any, step: Any) -> None:
    """One step of a conversation, or of the store's own care."""
    kind = chance.random()
    dialogue = f"d{chance.randrange(6)}"
    if kind < 0.75:
        interactions.append(opened, dialogue, chance.randrange(3), EVENTS,
                            [NewItem("said", f"text {step} " + "x" * chance.randrange(400))])
    elif kind < 0.85:
        interactions.close_dialogue(opened, dialogue)
    elif kind < 0.95:
        opened.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    else:
        session.checkpoint(opened)


def half_way(old: Any, new: Any, chance: Any) -> Any:
    """A checkpoint cut short: some pages of the new database, the rest of the old."""
    mixed = bytearray(old.ljust(len(new), b"\0"))
    for at in range(0, len(new), PAGE_SIZE):
        if chance.random() < 0.5:
            mixed[at:at + PAGE_SIZE] = new[at:at + PAGE_SIZE]
    return bytes(mixed)


def images(place: Any, folder: Any, count: Any, seed: Any) -> Any:
    chance = random.Random(seed)
    outcomes = {"last": 0, "earlier": 0, "refused": 0}
    number = 0
    while number < count:
        here = place.with_settings(directory=folder / f"history{number}")
        opened = here.session()
        session.prepare(opened)
        states, database = [state(opened)], here.path.read_bytes()
        for step in range(30):
            act(opened, chance, step)
            states.append(state(opened))
            if chance.random() < 0.4 and number < count:
                one = here.copy_to(folder / f"image{number}")
                damage(one, database, chance)
                outcomes[look(one, states)] += 1
                shutil.rmtree(one.settings.directory)
                number += 1
            database = here.path.read_bytes()
        opened.connection.close()
    return outcomes


def damage(image: Any, older_database: Any, chance: Any) -> None:
    database, log = image.path, log_path(image.path)
    what = chance.choice(("database", "log", "log", "both", "no log", "half a checkpoint"))
    if what == "half a checkpoint":
        database.write_bytes(half_way(older_database, database.read_bytes(), chance))
        what = chance.choice(("nothing", "log", "cut log"))
    if what in ("database", "both"):
        database.write_bytes(spoil(database.read_bytes(), chance))
    if what in ("log", "both") and log.exists():
        log.write_bytes(spoil(log.read_bytes(), chance))
    if what == "cut log" and log.exists():
        frames = chance.randrange(40)
        log.write_bytes(log.read_bytes()[:32 + frames * WAL_FRAME])
    if what == "no log":
        log.unlink(missing_ok=True)


def look(image: Any, states: Any) -> Any:
    """What became of an image; fails on anything that was never acknowledged."""
    try:
        with image.open() as opened, translated(image.path):
            found = state(opened)
    except StoreError as error:
        assert isinstance(error, DamagedStoreError), error
        return "refused"
    assert found in states, "the store returned what was never acknowledged"
    return "last" if found == states[-1] else "earlier"


def test_damaged_images(place: Any, tmp_path: Any) -> None:
    outcomes = images(place, tmp_path, 60, seed=1)
    assert all(outcomes.values()), outcomes


@pytest.mark.long
def test_three_hundred_damaged_images(place: Any, tmp_path: Any) -> None:
    outcomes = images(place, tmp_path, 300, seed=2)
    print(f"images: {outcomes}")
    assert sum(outcomes.values()) == 300 and all(outcomes.values()), outcomes


def test_a_log_cut_after_its_checkpoint_is_not_mixed_with_the_database(
        place: Any, tmp_path: Any
) -> None:
    """Every page of such an image is authentic, and both of SQLite's checks may pass."""
    opened = place.session()
    session.prepare(opened)
    states = [state(opened)]
    for turn in range(12):
        interactions.append(opened, "d1", turn, EVENTS, [NewItem("said", f"text {turn}")])
        states.append(state(opened))
    opened.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    refused = 0
    for frames in range(0, 80, 4):
        image = place.copy_to(tmp_path / f"cut{frames}")
        log = log_path(image.path)
        log.write_bytes(log.read_bytes()[:32 + frames * WAL_FRAME])
        refused += look(image, states) == "refused"
    opened.connection.close()
    assert refused > 5


def test_every_page_flipped_once_returns_no_altered_row(place: Any, tmp_path: Any) -> None:
    with place.open() as opened:
        for n in range(180):
            interactions.append(opened, f"d{n % 9}", n // 9, EVENTS,
                                [NewItem("said", f"text {n} " * 20)])
        whole = state(opened)
    data, chance = place.path.read_bytes(), random.Random(3)
    pages = len(data) // PAGE_SIZE
    assert pages > 50
    outcomes = {"last": 0, "refused": 0}
    image = place.copy_to(tmp_path / "image")
    for page in range(pages):
        spoiled = bytearray(data)
        spoiled[page * PAGE_SIZE + chance.randrange(PAGE_SIZE)] ^= 1 << chance.randrange(8)
        image.path.write_bytes(bytes(spoiled))
        log_path(image.path).unlink(missing_ok=True)
        outcomes[look(image, [whole])] += 1
    # Only pages that nothing reads (free ones, an index) may be spoiled unnoticed.
    assert outcomes["refused"] > pages * 0.6, outcomes

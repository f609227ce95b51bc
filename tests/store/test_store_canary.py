"""A phrase that is said is in no file, log, output or traceback of a whole eventful run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CANARY = "zwetschgenknoedel at the harbour"

RUN = """
import asyncio, logging, sys, traceback, dataclasses
from pathlib import Path
from agent.store import *
from agent.store import interactions, rows, sweep
from agent.store.session import transaction

CANARY, folder = sys.argv[1], Path(sys.argv[2])
logging.basicConfig(level=logging.DEBUG)
settings = Settings(directory=folder, quota_mib=1)

def spoil(session):
    row = interactions.get(session, "d0", 0)
    with transaction(session) as change:
        item = rows.items(session, row.item_ids, session.moment())[0]
        rows.delete_items(session, change, [item.id])
        rows.put_item(session, change, dataclasses.replace(item, seq=item.seq + 1))

async def attempt(call):
    try:
        return await call
    except Exception as error:
        traceback.print_exc()
        print(repr(error), error.args, file=sys.stderr)
        logging.getLogger("test").exception("a call failed")

async def main():
    told = []
    best = BestEffortStore(settings, told.append)
    for n in range(30):
        row = await best.append(f"d{n}", 0, "utterance speak expect-speech",
                                [NewItem("said", CANARY), NewItem("screen", CANARY * 20)])
        print(repr(row), repr(await best.open_items(row)), repr(await best.carry_over()))
    await best.append("d1", 1, CANARY)
    await best.append("d1", 1, "wake", [NewItem(CANARY, CANARY)])
    await best.append(CANARY, 1, "wake", [NewItem("said", CANARY)])
    store = best.store
    await attempt(store.append("d1", 1, CANARY))
    await attempt(store.append("d1", 1, "wake", [NewItem(CANARY, CANARY)]))
    await attempt(store.append("d1", 1, "wake", [NewItem("said", CANARY * 100_000)]))
    await attempt(store.append("d1", 1, "wake", [NewItem("said", None)]))
    await attempt(store.run(spoil))
    await attempt(store.open_items(await store.get("d0", 0)))
    for n in range(40):
        await attempt(store.append(f"e{n}", 0, "wake", [NewItem("said", CANARY * 3000)]))
    print(await store.overview(), told)
    await store.put_catalogue("contacts", [CatalogueEntry(CANARY, CANARY.encode())])
    await store.close_dialogue("d2")
    await best.close()
    data = bytearray(settings.database.read_bytes())
    data[5000] ^= 1
    Path(str(settings.database) + ".copy").write_bytes(bytes(data))
    await attempt(store.append("d1", 2, "wake", [NewItem("said", CANARY)]))
    broken = dataclasses.replace(settings, directory=folder / "none" / "such")
    (folder / "none").write_text("")
    await attempt(ContextStore.open(broken))

asyncio.run(main())
"""


def forms(phrase: str) -> list[bytes]:
    return [phrase.encode(), phrase.encode("utf-16-le"), phrase.encode().hex().encode(),
            phrase.split()[0].encode()]


def test_the_canary_is_nowhere(tmp_path: Path, memory: Path) -> None:
    state, temporary = tmp_path / "state", tmp_path / "temporary"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", RUN, CANARY, state],
        env={**os.environ, "XDG_RUNTIME_DIR": str(memory), "TMPDIR": str(temporary)},
        capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = done.stdout + done.stderr
    assert b"Traceback" in shown and b"SealBrokenError" in shown and b"StoreFullError" in shown
    for form in forms(CANARY):
        assert form not in shown
        for path in [*tmp_path.rglob("*"), *memory.rglob("*")]:
            if path.is_file():
                assert form not in path.read_bytes(), path


def test_no_key_is_in_any_log_or_traceback(place: Any, caplog: Any) -> None:
    import traceback

    caplog.set_level(0)
    with place.open() as session:
        key, secret = session.root.database_key, session.root.secret
    place.settings.key_path.chmod(0o644)
    text = ""
    for spoil in (lambda: None, lambda: place.settings.key_path.chmod(0o600),
                  lambda: place.path.write_bytes(os.urandom(8192))):
        spoil()
        try:
            place.session().connection.close()
        except Exception:
            text += traceback.format_exc()
    assert "KeyRefusedError" in text and "ForeignFileError" in text
    for one in (key, secret):
        assert one.hex() not in text + caplog.text and repr(one) not in text + caplog.text

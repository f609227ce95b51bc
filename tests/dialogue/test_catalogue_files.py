from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.dialogue.catalogue import CatalogueFiles, of_names, read_home, read_places
from agent.errors import AgentError

HOME = """here = "Kitchen"

[[area]]
name = "Kitchen"
floor = "Ground Floor"

[[device]]
name = "Lamp"
kind = "light"
area = "Kitchen"
aliases = ["Big Light"]

[[device]]
name = "Door"
kind = "lock"
id = "lock.door"
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_home(tmp_path: Path) -> None:
    home = read_home(write(tmp_path / "devices.toml", HOME))
    assert home.here == "Kitchen"
    assert [d.name for d in home.named("the big light")] == []
    assert [d.name for d in home.named("big light")] == ["Lamp"]
    assert [d.name for d in home.named("lamp", ("lock",))] == []
    assert home.floors == ("Ground Floor",)
    assert home.devices[1].id == "lock.door"


WRONG_HOMES = [
    ("[[device]]\nkind = 'light'\n", "line 1", "needs a name"),
    ("[[device]]\nname = 'A'\n\n[[device]]\nname = 'B'\nkind = 'lihgt'\n", "line 6", "'lihgt'"),
    ("[[device]]\nname = 'A'\narea = 'Attic'\n", "line 3", "no room 'Attic'"),
    ("[[device]]\nname = 'A'\ncolour = 'red'\n", "line 3", "unknown setting"),
    ("[[device]]\nname = 'A'\nkind = 'cover'\ndevice_class = 'hat'\n", "line 4", "'hat'"),
    ("[[device]]\nname = 3\n", "line 2", "must be a text"),
    ("[[area]]\nfloor = 'x'\n", "line 1", "needs a name"),
    ("here = 'Moon'\n", "here", "no room 'Moon'"),
    ("[device]\nname = 'A'\n", "device", "[[device]]"),
    ("[[divice]]\nname = 'A'\n", "line 1", "unknown"),
    ("name = = 1", "not valid TOML", "line 1"),
]


@pytest.mark.parametrize(("text", "where", "what"), WRONG_HOMES)
def test_a_wrong_home_says_what_and_where(text: str, where: str, what: str,
                                          tmp_path: Path) -> None:
    with pytest.raises(AgentError) as caught:
        read_home(write(tmp_path / "devices.toml", text))
    assert "devices.toml" in caught.value.what
    assert where in caught.value.what
    assert what in caught.value.what
    assert caught.value.mend


@pytest.mark.parametrize(("text", "what"), [
    ("[[place]]\nname = 'A'\n", "needs a kind"),
    ("[[place]]\nkind = 'bar'\n", "needs a name"),
    ("[[place]]\nname = 'A'\nkind = 'bar'\nmetres = -1\n", "below the smallest"),
])
def test_wrong_places(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=what):
        read_places(write(tmp_path / "places.toml", text))


def test_files_are_read_again_only_when_they_change(tmp_path: Path) -> None:
    devices = write(tmp_path / "devices.toml", HOME)
    files = CatalogueFiles(devices=devices)
    first = files.load()
    assert files.load() is first
    assert not files.changed()
    write(devices, HOME.replace("Lamp", "Lantern"))
    os.utime(devices, ns=(1, 1))
    assert files.changed()
    assert files.load().home.devices[0].name == "Lantern"


def test_a_file_that_breaks_keeps_what_it_held(tmp_path: Path) -> None:
    devices = write(tmp_path / "devices.toml", HOME)
    files = CatalogueFiles(devices=devices)
    files.load()
    write(devices, "[[device")
    catalogue = files.load()
    assert catalogue.home.devices[0].name == "Lamp"
    assert "devices.toml" in catalogue.problems[0].what
    write(devices, HOME)
    assert files.load().problems == ()


def test_a_missing_file_is_told_and_the_rest_is_usable(tmp_path: Path) -> None:
    catalogue = CatalogueFiles(places=tmp_path / "none.toml").load()
    assert catalogue.places.places == ()
    assert catalogue.contacts.contacts
    assert "none.toml" in catalogue.problems[0].what


def test_bare_names_make_a_catalogue() -> None:
    catalogue = of_names(contacts=["Meg Bauer", "Cher"], devices=["Bed Light"], places=["Rialto"])
    assert [c.name for c in catalogue.contacts.find("bauer")] == ["Meg Bauer"]
    assert catalogue.contacts.find("cher")[0].family == ""
    assert catalogue.home.named("bed light", ("light",))
    assert catalogue.places.named("rialto")

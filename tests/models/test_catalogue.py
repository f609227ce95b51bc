"""The shipped catalogue, and catalogues with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from models.catalogue import Catalogue, Model, Publisher
from models.errors import ModelError

SHIPPED = list(Catalogue.load())


@pytest.mark.parametrize("model", SHIPPED, ids=lambda m: m.name)
def test_every_model_says_what_it_is_for_and_under_which_licence(model: Model) -> None:
    assert model.purpose
    assert model.version
    assert model.licence
    for archive in model.archives:
        assert len(archive.sha256) == 64
        assert archive.size > 0
        assert archive.sources
        assert archive.files


@pytest.mark.parametrize("model", [m for m in SHIPPED if m.archives], ids=lambda m: m.name)
def test_every_file_has_a_checksum_unless_its_archive_is_unpacked_whole(model: Model) -> None:
    for archive in model.archives:
        for file in archive.files:
            known = file.sha256 is not None and file.size is not None and file.member != ""
            assert known or (archive.unpack_below and archive.unpacked_limit)


def test_names_are_unique_and_an_archive_s_name_means_one_file() -> None:
    names = [m.name for m in SHIPPED]
    assert len(set(names)) == len(names)
    archives = {(a.file, a.sha256) for m in SHIPPED for a in m.archives}
    assert len({file for file, _ in archives}) == len(archives)


def test_built_files_have_checksums_and_what_they_are_built_of_is_not_kept() -> None:
    for model in SHIPPED:
        assert bool(model.build) == bool(model.built)
        assert all(f.sha256 and f.size for f in model.built)
        assert model.build or all(f.keep for a in model.archives for f in a.files)


def test_registries_come_before_the_publisher_s_site() -> None:
    for archive in (a for m in SHIPPED for a in m.archives):
        kinds = [isinstance(s, Publisher) for s in archive.sources]
        assert kinds == sorted(kinds)


def test_non_commercial_weights_are_opt_in() -> None:
    assert {m.name for m in SHIPPED if "NC" in m.licence} == {"openwakeword"}
    assert models.catalogue()["openwakeword"].set == "opt-in"
    assert "not be used commercially" in models.catalogue()["openwakeword"].notes


def test_the_recogniser_has_a_stand_in_that_set_up_installs() -> None:
    vosk = models.catalogue()["vosk-en"]
    assert vosk.set == "run"
    assert models.catalogue()[vosk.stand_in or ""].set == "run"


def test_a_bundled_model_is_inside_its_package() -> None:
    folder = models.locate("microwakeword")
    assert (folder / "alexa.tflite").is_file()


@pytest.mark.parametrize(("text", "message"), [
    ("[[model", "cannot read the model catalogue"),
    ('[[model]]\nname = "x"\n', "model x: set is missing"),
    ('[[model]]\nname = "x"\nset = "sometimes"\n', "set 'sometimes' is not one of"),
    ('[[model]]\nname = "x"\nset = "run"\ncolour = "red"\n', "model x: .*colour"),
    ('[[model]]\nname = "x"\nset = "run"\n[[model.archive]]\nfile = "f"\nfiles = []\n'
     'source = [{ kind = "ftp" }]\n', "source kind 'ftp' is not one of pypi, npm, publisher"),
])
def test_a_mistake_in_a_catalogue_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "catalogue.toml").write_text(text)
    with pytest.raises(ModelError, match=message):
        Catalogue.load(tmp_path / "catalogue.toml")


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.toml"):
        Catalogue.load(tmp_path / "none.toml")

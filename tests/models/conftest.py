"""A publisher's site on this machine that misbehaves on request, and catalogues of small models."""

from __future__ import annotations

import http.server
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from models.catalogue import Catalogue, Model, Publisher, catalogue
from tests.models.archives import FILES, UseCatalogue, model_of, zipped
from tests.models.publisher import Site, handler


@pytest.fixture
def site() -> Iterator[Site]:
    """A site on localhost."""
    served = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(served))
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}/model.zip"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the installed models or the user's cache, or goes through a proxy."""
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def use_catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseCatalogue]:
    """Puts other models in the place of the shipped catalogue."""

    def use(models: Sequence[Model]) -> None:
        monkeypatch.setattr(Catalogue, "load", classmethod(lambda cls: Catalogue(tuple(models))))
        catalogue.cache_clear()

    yield use
    monkeypatch.undo()
    catalogue.cache_clear()


@pytest.fixture
def published(site: Site, use_catalogue: UseCatalogue) -> Model:
    """A model that the site serves, unpacked whole, in the catalogue under the name ``small``."""
    site.content = zipped(FILES)
    model = model_of(site.content, Publisher(site.url), whole=True)
    use_catalogue([model])
    return model


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte; skips where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
                             capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)

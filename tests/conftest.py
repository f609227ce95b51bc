"""Fixtures that every test may use: recorded speech and models, or a clear reason to skip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# Speed belongs in benchmarks: a test that is slow on a busy machine has not failed.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded development speech; skips where it is absent."""
    folder = Path(os.environ.get("VOICE_AGENT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"recorded speech not found at {folder} (set VOICE_AGENT_DATA)")
    return folder


@pytest.fixture(scope="session")
def model_path() -> Callable[[str], Path]:
    """Folder of an installed model by its catalogue name; skips where it is not installed."""

    def locate(name: str) -> Path:
        root = Path(os.environ.get("VOICE_AGENT_MODELS", REPOSITORY / "models" / "files"))
        if not (root / name).is_dir():
            pytest.skip(f"model {name} is not installed (./setup_device.sh installs it)")
        return root / name

    return locate


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """Endpoint of DynamoDB's own engine; skips, saying why, where it cannot run."""
    from tests.dynamodb_local import Engine, UnavailableError

    given = os.environ.get("VOICE_AGENT_DYNAMODB")
    if given:
        yield given
        return
    try:
        engine = Engine()
    except UnavailableError as error:
        pytest.skip(str(error))
    yield engine.endpoint
    engine.stop()

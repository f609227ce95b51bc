"""Downloading one file from a site that cuts, corrupts, delays, refuses, or is not there."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.download import Patience, Wanted, cache_folder, download
from models.errors import ModelError
from models.progress import Advance, Silent
from tests.models.publisher import Site

QUICK = Patience(connect=2.0, read=0.5, pause=0.01)
CONTENT = os.urandom(300_000)


def wanted(site: Site, content: bytes = CONTENT) -> Wanted:
    return Wanted(site.url, len(content), hashlib.sha256(content).hexdigest(), "model.zip")


def leftovers() -> list[Path]:
    return list(cache_folder().glob("*")) if cache_folder().exists() else []


def fails(site: Site, target: Path, content: bytes = CONTENT) -> ModelError:
    with pytest.raises(ModelError) as caught:
        download(wanted(site, content), target, Silent(), QUICK)
    assert not target.exists()
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_arrives_whole(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT
    assert leftovers() == []


def test_a_cut_download_goes_on_where_it_was_cut(site: Site, tmp_path: Path) -> None:
    site.content, site.cut_after = CONTENT, [100_000, 50_000]
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT
    assert site.requests == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(site: Site, tmp_path: Path) -> None:
    site.content, site.cut_after = CONTENT, [120_000, 0, 0, 0]
    error = fails(site, tmp_path / "model.zip")
    assert "broke off at 120000 of 300000 bytes" in error.what
    assert "goes on from there" in error.mend
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert site.requests[-1] == "bytes=120000-"
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_a_site_that_refuses_ranges_sends_all_again(site: Site, tmp_path: Path) -> None:
    site.content, site.cut_after, site.refuses_range = CONTENT, [100_000], True
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_an_answer_for_another_range_is_not_appended(site: Site, tmp_path: Path) -> None:
    site.content, site.cut_after, site.wrong_range = CONTENT, [100_000], True
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_a_corrupt_file_is_refused_and_removed(site: Site, tmp_path: Path) -> None:
    site.content = b"\0" + CONTENT[1:]
    error = fails(site, tmp_path / "model.zip")
    assert error.what == "model.zip: what 127.0.0.1 sent has the wrong checksum"
    assert leftovers() == []


def test_a_wrong_beginning_from_an_earlier_run_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT
    cache_folder().mkdir(parents=True)
    part = cache_folder() / f"{wanted(site).sha256[:32]}.part"
    part.write_bytes(b"rubbish" * 1000)
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert site.requests == ["bytes=7000-", None]
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_too_long_a_partial_file_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT
    cache_folder().mkdir(parents=True)
    (cache_folder() / f"{wanted(site).sha256[:32]}.part").write_bytes(CONTENT + b"more")
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_a_larger_file_than_promised_is_not_read_to_its_end(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT + bytes(5_000_000)
    error = fails(site, tmp_path / "model.zip")
    assert "sent more than the 300000 bytes" in error.what
    assert sum(p.stat().st_size for p in leftovers()) == 0


def test_a_shorter_file_than_promised_is_refused(site: Site, tmp_path: Path) -> None:
    site.content = CONTENT[:1000]
    error = fails(site, tmp_path / "model.zip")
    assert "broke off" in error.what


def test_a_missing_file_is_not_asked_for_twice(site: Site, tmp_path: Path) -> None:
    site.statuses = [404]
    error = fails(site, tmp_path / "model.zip")
    assert "127.0.0.1 does not give the file (HTTP 404 Not Found)" in error.what
    assert len(site.requests) == 1


def test_a_site_that_recovers_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.content, site.statuses = CONTENT, [503, 429]
    download(wanted(site), tmp_path / "model.zip", Silent(), QUICK)
    assert (tmp_path / "model.zip").read_bytes() == CONTENT


def test_a_site_that_stays_broken_is_given_up(site: Site, tmp_path: Path) -> None:
    site.statuses = [500] * 10
    assert "(HTTP 500)" in fails(site, tmp_path / "model.zip").what
    assert len(site.requests) == 3


def test_a_site_that_falls_silent_is_given_up(site: Site, tmp_path: Path) -> None:
    site.content, site.delay = CONTENT, 1.5
    assert "timed out" in fails(site, tmp_path / "model.zip").what


def test_nobody_listening_is_one_line(site: Site, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        site.url = f"http://127.0.0.1:{unused.getsockname()[1]}/model.zip"
        error = fails(site, tmp_path / "model.zip")
    assert error.what == "127.0.0.1 cannot be reached (Connection refused)"


def test_an_unknown_host_is_one_line(site: Site, tmp_path: Path) -> None:
    site.url = "https://no-such-host.invalid/model.zip"
    assert "no-such-host.invalid cannot be reached" in fails(site, tmp_path / "model.zip").what


def test_slow_name_service_does_not_stall(
        site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()

    def slow(*args: object, **options: object) -> socket.socket:
        held.wait(30)
        return socket.socket()

    monkeypatch.setattr("models.download.socket.create_connection", slow)
    with pytest.raises(ModelError, match=r"no answer in 0\.1 s"):
        download(wanted(site), tmp_path / "model.zip", Silent(), Patience(connect=0.1))
    held.set()


def test_a_full_disk_leaves_no_partial_file(site: Site, tmp_path: Path, small_disk: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(small_disk))
    site.content = CONTENT * 10
    with pytest.raises(OSError, match="No space left"):
        download(wanted(site, CONTENT * 10), tmp_path / "model.zip", Silent(), QUICK)
    assert leftovers() == []


def test_progress_counts_what_was_there_before(site: Site, tmp_path: Path) -> None:
    site.content, site.cut_after = CONTENT, [100_000]
    seen: list[int] = []

    class Recording(Silent):
        @contextmanager
        def bar(self, label: str, total: int) -> Iterator[Advance]:
            assert (label, total) == ("model.zip", 300_000)
            yield seen.append

    download(wanted(site), tmp_path / "model.zip", Recording(), QUICK)
    assert seen == sorted(seen)
    assert seen[-1] == 300_000


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 60_000), max_size=8), refuses=st.booleans())
def test_however_it_is_cut_the_file_is_right(
        site: Site, tmp_path: Path, cuts: list[int], refuses: bool) -> None:
    site.content, site.cut_after, site.refuses_range = CONTENT[:100_000], list(cuts), refuses
    target = tmp_path / "model.zip"
    target.unlink(missing_ok=True)
    try:
        download(wanted(site, CONTENT[:100_000]), target, Silent(),
                 Patience(connect=2.0, read=2.0, pause=0.0))
    except ModelError:
        assert refuses  # without ranges, three cuts in a row may bring nothing new
        assert not target.exists()
    else:
        assert target.read_bytes() == CONTENT[:100_000]

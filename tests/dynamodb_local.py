"""DynamoDB's own engine for tests: fetched from Maven Central where Java 17 is, and started.

``python -m tests.dynamodb_local`` fetches it (53 MB) and says where it is; the set-up of the tests
does that. It runs as a program of its own, under its vendor's terms, and is no part of the product.
``VOICE_AGENT_DYNAMODB`` names an endpoint to use instead.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

VERSION = "2.5.3"
MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
JAVA = 17
PATIENCE_S = 60.0
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>local</artifactId><version>1</version>
<dependencies><dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>
"""


class UnavailableError(Exception):
    """The engine cannot be had here; the text says why."""


def folder() -> Path:
    """Where the engine's libraries are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "voice-agent" / f"dynamodb-local-{VERSION}"


def fetch() -> Path:
    """The folder of the libraries, fetched by Maven where they are not there yet.

    Raises:
        UnavailableError: There is no Java 17, no Maven, or no network.
    """
    java()
    place = folder()
    if place.is_dir():
        return place
    if shutil.which("mvn") is None:
        raise UnavailableError("DynamoDB Local is not fetched, and there is no Maven to do it")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        (Path(work) / "pom.xml").write_text(POM)
        done = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={work}/lib"], cwd=work, capture_output=True, text=True,
            timeout=600, check=False)
        if done.returncode or not list(Path(work).glob("lib/DynamoDBLocal-*.jar")):
            raise UnavailableError(f"Maven could not fetch DynamoDB Local: {done.stdout[-300:]}")
        (Path(work) / "lib").rename(place)
    return place


def java() -> str:
    """The Java program.

    Raises:
        UnavailableError: There is none of version 17 or later.
    """
    found = shutil.which("java")
    if found is None:
        raise UnavailableError("DynamoDB Local needs Java 17, and there is no Java")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA:
        raise UnavailableError("DynamoDB Local needs Java 17, and this one is older")
    return found


def fetched() -> Path:
    """The folder of the libraries.

    Raises:
        UnavailableError: There is no Java 17, or they were not fetched.
    """
    java()
    if not folder().is_dir():
        raise UnavailableError("DynamoDB Local was not fetched (./setup_device.sh test does that)")
    return folder()


class Engine:
    """The engine on a free port of localhost, empty and in memory.

    Raises:
        UnavailableError: It cannot be had here.
    """

    def __init__(self) -> None:
        libraries = fetched()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [java(), "-Xmx300m", f"-Djava.library.path={libraries}", "-cp", f"{libraries}/*", MAIN,
             "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def _await(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise UnavailableError("DynamoDB Local ended at once")
            try:
                urllib.request.urlopen(self.endpoint, timeout=2)
            except urllib.error.HTTPError:
                return  # it answers that a request must be signed
            except OSError:
                time.sleep(0.2)
        raise UnavailableError("DynamoDB Local does not answer")

    def stop(self) -> None:
        """End it; everything in it is gone."""
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    try:
        print(fetch())
    except UnavailableError as error:
        sys.exit(str(error))

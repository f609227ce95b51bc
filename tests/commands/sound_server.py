"""A sound server of the tests' own: PulseAudio with null sinks, reached by PortAudio over ALSA."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLUGIN = "alsa-lib/libasound_module_pcm_pulse.so"


def missing() -> str:
    """What is not installed of what this needs; empty when all is there."""
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            return f"{program} is not installed (apt: pulseaudio pulseaudio-utils)"
    if not any(Path("/usr/lib").glob(f"*/{PLUGIN}")):
        return "ALSA's plugin for PulseAudio is not installed (apt: libasound2-plugins)"
    return ""


class Sounds:
    """Two servers with a null sink each, or a moved stream would survive its sink's end.

    What is played into the one reaches the device ``mic``; the other is ``loudspeaker``.

    Args:
        folder: A short path of their own: the sockets are there.
    """

    def __init__(self, folder: Path) -> None:
        self._mic, self._loudspeaker = _Server(folder / "mic"), _Server(folder / "out")
        self._room = ""
        alsa = folder / "asound.conf"
        alsa.write_text("</usr/share/alsa/alsa.conf>\n" + "".join(
            f'pcm.{name} {{ type pulse server "{server.address}" device "{device}" '
            f'hint {{ show on description "{name}" }} }}\n'
            for name, server, device in (("mic", self._mic, "sink.monitor"),
                                         ("loudspeaker", self._loudspeaker, "sink"))))
        self.environment = {**os.environ, "HOME": str(folder), "ALSA_CONFIG_PATH": str(alsa),
                            "XDG_RUNTIME_DIR": str(folder)}

    @property
    def loudspeaker(self) -> str:
        """Address of the loudspeaker's server; its sink is called ``sink``."""
        return self._loudspeaker.address

    @contextmanager
    def running(self) -> Iterator[Sounds]:
        """Both devices, until the end of the block."""
        with self._mic.running(), self._loudspeaker.running():
            self._loudspeaker.load_sink()
            self.plug_in()
            yield self

    def plug_in(self) -> None:
        """Let there be a microphone."""
        self._room = self._mic.load_sink()

    def unplug(self) -> None:
        """Take the microphone away."""
        self._mic.control("unload-module", self._room)

    def play(self, recording: Path) -> None:
        """Play a recording into the microphone, to its end."""
        subprocess.run(["paplay", "-d", "sink", str(recording)], env=self._mic.environment,
                       check=True)


class _Server:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._socket = folder / "native"
        self.address = f"unix:{self._socket}"
        self.environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                            "PULSE_RUNTIME_PATH": str(folder), "PULSE_SERVER": self.address}

    @contextmanager
    def running(self) -> Iterator[None]:
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
                   "--use-pid-file=no", "--disable-shm=true", "-L",
                   f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"]
        with subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                self._wait()
                yield
            finally:
                server.terminate()
                server.wait(10)

    def load_sink(self) -> str:
        return self.control("load-module", "module-null-sink", "sink_name=sink", "rate=48000",
                            "channels=1")

    def control(self, *arguments: str) -> str:
        done = subprocess.run(["pactl", *arguments], env=self.environment, check=True,
                              capture_output=True, text=True)
        return done.stdout.strip()

    def _wait(self) -> None:
        for _ in range(200):
            if self._socket.exists():
                return
            time.sleep(0.05)
        raise RuntimeError("pulseaudio did not start")

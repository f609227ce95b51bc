"""A systemd user unit that starts the agent at every boot.

    python -m setup.service

Standard library only. Needs no root: the unit belongs to the user, and lingering (see
``loginctl(1)``) starts a user's units at boot without anyone logging in.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "voice-agent.service"
REPOSITORY = Path(__file__).resolve().parent.parent

UNIT = """\
[Unit]
Description=voice-agent: private voice assistant
After=pipewire.service pulseaudio.service
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
ExecStart="{repository}/.venv/bin/voice-agent" run
WorkingDirectory={working_directory}
Restart=on-failure
RestartSec=5
TimeoutStopSec=5
{environment}# What was heard must not reach a core dump, nor a file that others may read.
LimitCORE=0
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""
"""Only what a user manager can enforce without namespaces: those hide audio devices' groups."""


class ServiceError(Exception):
    """The unit cannot be installed; the text says why and what to do."""


def unit_text(repository: Path, models: str | None) -> str:
    """The unit file for a checkout; ``models`` is a folder of models elsewhere, if there is one."""
    environment = f'Environment="VOICE_AGENT_MODELS={_quoted(models)}"\n' if models else ""
    return UNIT.format(repository=_quoted(str(repository)), environment=environment,
                       working_directory=str(repository).replace("%", "%%"))


def _quoted(text: str) -> str:
    """Escape a text for a double-quoted word of a unit file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("%", "%%").replace("$", "$$")


def unit_path() -> Path:
    """Where the user's own units are (``systemd.unit(5)``)."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd" / "user" / NAME


def install(repository: Path) -> list[str]:
    """Write, enable and start the unit; returns lines to show.

    Raises:
        ServiceError: There is no systemd for this user, or it refuses.
    """
    _require_manager()
    path = unit_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(unit_text(repository, os.environ.get("VOICE_AGENT_MODELS")), encoding="utf-8")
    fresh.replace(path)
    _systemctl("daemon-reload")
    _systemctl("enable", NAME)
    _systemctl("restart", NAME)
    return [f"{path}: written, enabled and started.", _linger(),
            f"Its log: journalctl --user -u {NAME}",
            f"To remove it: systemctl --user disable --now {NAME}"]


def _require_manager() -> None:
    by_hand = f"start the agent by hand with: {REPOSITORY}/.venv/bin/voice-agent run"
    if shutil.which("systemctl") is None:
        raise ServiceError(f"This system has no systemd, so no service was installed; {by_hand}")
    runtime = Path(f"/run/user/{os.getuid()}")
    if "XDG_RUNTIME_DIR" not in os.environ and runtime.is_dir():
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # as after `su` or in a cron job
    answer = _run("systemctl", "--user", "show-environment")
    if answer.returncode:
        raise ServiceError("systemd's user manager cannot be reached ("
                           f"{_first_line(answer.stderr)}), so no service was installed; log in as "
                           f"the user who is to run it, not by su or sudo, or {by_hand}")


def _systemctl(*arguments: str) -> None:
    done = _run("systemctl", "--user", *arguments)
    if done.returncode:
        raise ServiceError(f"systemctl --user {' '.join(arguments)} failed: "
                           f"{_first_line(done.stderr)}")


def _linger() -> str:
    user = getpass.getuser()
    if _run("loginctl", "enable-linger", user).returncode == 0:
        return "It starts at every boot."
    return f"It starts when {user} logs in; at boot too after: sudo loginctl enable-linger {user}"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "it gave no reason"


def main() -> int:
    """Install the unit for this checkout; returns the exit status."""
    try:
        lines = install(REPOSITORY)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {unit_path()}: {error.strerror}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())

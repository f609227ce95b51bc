"""The command line: fast to start, clear about mistakes, JSON alone where JSON is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import COMMANDS, main
from agent.errors import AgentError

HEAVY = ("onnxruntime", "vosk", "sounddevice", "soundfile", "soxr", "hassil", "pymicro_wakeword",
         "sqlcipher3", "vobject", "numpy", "rich", "home_assistant_intents")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([c, "--help"]
                                                                    for c in COMMANDS)],
                         ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = ("import sys; from agent.cli import main\n"
               "try: main(sys.argv[1:])\n"
               "except SystemExit as end: code = end.code\n"
               f"heavy = [m for m in {HEAVY} if m in sys.modules]\n"
               "sys.exit(f'loads {heavy}' if heavy else code)")
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True,
                          text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert "voice-agent" in done.stdout


def test_every_command_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert listed >= set(COMMANDS)


def test_an_unknown_command_is_an_error_that_lists_the_known(
        capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["lisen"])
    assert end.value.code == 2
    assert "'lisen'" in (text := capsys.readouterr().err)
    assert "emulate" in text


def test_an_unknown_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["doctor", "--jsno"])
    assert end.value.code == 2
    assert "--jsno" in capsys.readouterr().err


def test_an_error_is_a_sentence_on_standard_error(capsys: pytest.CaptureFixture[str],
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    import agent.commands.settings as command

    def fail(args: object) -> int:
        raise AgentError("the disk is full", "make room")

    monkeypatch.setattr(command, "run", fail)
    assert main(["settings"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "voice-agent: the disk is full\n  make room\n"
    assert captured.out == ""


def test_ctrl_c_ends_with_the_shell_s_code(monkeypatch: pytest.MonkeyPatch) -> None:
    import agent.commands.settings as command

    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupted)
    assert main(["settings"]) == 130


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(f"{sys.executable} -m agent.cli settings | head -n 1", shell=True,
                          capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.startswith("# Settings of voice-agent")
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["settings", "--json"], ["doctor", "--json"],
                                       ["devices", "--json"], ["models", "list", "--json"]],
                         ids=" ".join)
def test_with_json_standard_output_carries_json_alone(arguments: list[str],
                                                      tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "agent.cli", *arguments], capture_output=True,
                          text=True, cwd=Path(__file__).parents[2])
    assert done.returncode in (0, 1)
    assert done.stdout
    for line in done.stdout.splitlines():
        json.loads(line)

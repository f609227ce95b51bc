"""Where the dialogues of an experiment come from: made up, or recorded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from agent.audio.files import read
from agent.context import Entry, Round, Situation, TurnContext
from agent.evaluate import noise as mixing
from agent.evaluate import synthesis
from agent.evaluate.experiment import Case
from agent.evaluate.experiment_dialogues import Dialogue
from agent.evaluate.manifest import Line
from agent.evaluate.runner import Noise
from agent.events import Expectation, Samples


def synthetic(dialogues: Sequence[Dialogue], *, voices: Sequence[synthesis.Voice] = (),
              noise: Noise | None = None) -> list[Case]:
    """Cases of synthetic dialogues; their answers spoken where there are voices.

    Args:
        dialogues: The dialogues.
        voices: Drawn from, one for each dialogue.
        noise: Mixed into the answers.
    """
    cases = []
    for dialogue in dialogues:
        text = dialogue.answer.text
        if not voices:
            cases.append(Case(dialogue.id, dialogue.turn, text))
            continue
        voice = random.Random(dialogue.id).choice(voices)

        def audio(text: str = text, voice: synthesis.Voice = voice,
                  clip: str = dialogue.id) -> Samples:
            return _noisy(clip, synthesis.speak(text, voice), noise)

        level = f"{noise.snr_db:g} dB {dialogue.id}" if noise is not None else ""
        cases.append(Case(dialogue.id, dialogue.turn, text, audio, f"{voice.id} {level}"))
    return cases


def recorded(lines: Iterable[Line], noise: Noise | None = None) -> list[Case]:
    """Cases of recorded answers: lines of a manifest that have a text and a question before it."""
    cases = []
    for line in lines:
        context = line.context
        if not line.text or line.set == "anti-context" or not context.previous:
            continue
        turn = TurnContext(
            _rounds([(p.speaker, p.text) for p in context.previous]), context.screen, (),
            Situation(), line.expects or Expectation.FREE)
        level = f"{noise.snr_db:g} dB" if noise is not None else ""
        cases.append(Case(line.id, turn, line.text,
                          lambda line=line: _noisy(line.id, read(line.audio), noise),  # type: ignore[misc]
                          f"{line.audio.name} {line.audio.stat().st_size} {level}"))
    return cases


def entries_of(lines: Iterable[Line]) -> tuple[Entry, ...]:
    """Everything that any line's context names."""
    found: dict[Entry, None] = {}
    for context in dict.fromkeys(line.context for line in lines):
        for kind, names in (("contact", context.contacts), ("device", context.devices),
                            ("place", context.places), ("screen", context.screen)):
            found.update(dict.fromkeys(Entry(name, kind) for name in names))
    return tuple(found)


def _rounds(turns: Sequence[tuple[str, str]]) -> tuple[Round, ...]:
    rounds: list[Round] = []
    for speaker, text in turns:
        if speaker == "user":
            rounds.append(Round(text))
        elif rounds and not rounds[-1].reply:
            rounds[-1] = Round(rounds[-1].said, text)
        else:
            rounds.append(Round("", text))
    return tuple(rounds[-3:])


def _noisy(clip: str, samples: Samples, noise: Noise | None) -> Samples:
    if noise is None or not samples.any():
        return samples
    return mixing.mix(clip, samples, noise.samples, noise.snr_db)

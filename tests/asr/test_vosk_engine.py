"""The real library with the real Korean model: its English one comes from the publisher only."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.asr.settings import Settings
from agent.asr.vosk import vocabulary
from agent.asr.vosk.engine import VoskRecogniser, VoskRecognition
from agent.asr.vosk.grammar import Knows
from agent.asr.vosk.model import VoskModel
from agent.biasing import Bias, Hypothesis, Phrase
from agent.biasing.settings import Settings as BiasSettings
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

Speak = Callable[[str], Samples]

ANSWERS = Bias(tuple(Phrase(text) for text in ("네", "아니요", "감사합니다!", "안녕하세요")))


def feed(recognition: VoskRecognition, samples: Samples) -> None:
    for at in range(0, len(samples), 320):
        recognition.accept(samples[at:at + 320])


def heard(recogniser: VoskRecogniser, samples: Samples,
          bias: Bias | None = None) -> VoskRecognition:
    recognition = recogniser.start(recogniser.prepare(bias) if bias else None)
    feed(recognition, samples)
    recognition.finish()
    return recognition


def values(hypotheses: Sequence[Hypothesis]) -> list[tuple[str, float]]:
    return [(entry.text, entry.score) for entry in hypotheses]


def test_free_decoding_hears_a_word(vosk: VoskRecogniser, korean: Speak) -> None:
    assert heard(vosk, korean("네")).free[0].text == "네"


def test_hypotheses_are_ordered_and_different(vosk: VoskRecogniser, korean: Speak) -> None:
    found = heard(vosk, korean("오늘 날씨가 어때요")).free
    assert 2 <= len(found) <= vosk.settings.alternatives
    assert len({entry.text for entry in found}) == len(found)
    assert all(a.score >= b.score for a, b in pairwise(found))
    assert all(entry.tokens == len(entry.text.split()) for entry in found)


def test_the_number_of_alternatives_is_a_setting(vosk_folder: Path, korean: Speak) -> None:
    recogniser = VoskRecogniser(vosk_folder, Settings(alternatives=1))
    assert len(heard(recogniser, korean("오늘 날씨가 어때요")).free) == 1


def test_results_repeat_to_the_last_digit(vosk: VoskRecogniser, korean: Speak) -> None:
    """With dithering left on, as the model has it, scores change from run to run."""
    samples = korean("감사합니다")
    first, second = (heard(vosk, samples, ANSWERS) for _ in range(2))
    assert values(first.free) == values(second.free)
    assert values(first.context) == values(second.context)


def test_the_size_of_the_pieces_changes_nothing(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = korean("감사합니다")
    whole = vosk.decode(samples)
    assert values(heard(vosk, samples).free) == values(whole)


def test_partial_results_grow_while_speech_goes_on(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = korean("오늘 날씨가 어때요")
    recognition = vosk.start()
    assert recognition.partial() == ""
    partials = []
    for at in range(0, len(samples), 3200):
        recognition.accept(samples[at:at + 3200])
        vosk.decode(np.zeros(0, np.int16))  # waits, as it runs after what is queued
        partials.append(recognition.partial())
    assert recognition.finish()
    assert partials[0] == ""
    assert partials[-1]
    assert len(set(partials)) >= 3


@pytest.mark.parametrize("text", ["네", "아니요", "감사합니다!", "안녕하세요"])
def test_the_grammar_hears_what_free_decoding_may_not(vosk: VoskRecogniser, korean: Speak,
                                                      text: str) -> None:
    recognition = heard(vosk, korean(text), ANSWERS)
    best = recognition.context[0]
    assert best.text == text
    assert best.source == "context"
    assert all(entry.source == "free" for entry in recognition.free)


def test_finish_gives_free_hypotheses_first(vosk: VoskRecogniser, korean: Speak) -> None:
    recognition = vosk.start(vosk.prepare(ANSWERS))
    feed(recognition, korean("네"))
    assert recognition.finish() == recognition.free + recognition.context
    assert recognition.finish() == recognition.free + recognition.context
    assert recognition.score(["네"]) is None
    assert recognition.decide().text == "네"


def test_a_heavier_phrase_is_likelier(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = korean("네")
    scores = [heard(vosk, samples, Bias((Phrase("네", weight), Phrase("감사합니다", 3.0)))
                    ).context[0].score for weight in (1.0, 3.0, 12.0)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_a_grammar_that_is_late_delays_nobody(vosk: VoskRecogniser, korean: Speak,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    samples = korean("감사합니다")
    monkeypatch.setattr(vosk, "bias_settings", BiasSettings(budget_ms=1))
    recognition = vosk.start(vosk.prepare(ANSWERS))
    recognition.accept(np.tile(samples, 3))
    assert all(entry.source == "free" for entry in recognition.finish())
    assert recognition.context == ()
    assert recognition.decide().source == "plain"
    monkeypatch.setattr(vosk, "bias_settings", BiasSettings(budget_ms=0))
    assert heard(vosk, samples, ANSWERS).context[0].text == "감사합니다!"


class Respeller:
    """Spells a foreign name by a word of the model that sounds like it."""

    def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
        return ["파워"] if phrase.text == "Bauer" else ["존"]


def test_a_missing_word_is_heard_by_its_spelling(vosk_folder: Path, korean: Speak) -> None:
    recogniser = VoskRecogniser(vosk_folder, speller=Respeller(),
                                bias_settings=BiasSettings(budget_ms=0))
    assert not recogniser.model.knows("Bauer")
    bias = Bias((Phrase("Bauer"), Phrase("Jones")))
    assert recogniser.prepare(bias).grammar.missing == ()
    assert heard(recogniser, korean("파워"), bias).context[0].text == "Bauer"
    assert heard(recogniser, korean("존"), bias).context[0].text == "Jones"


def test_phrases_that_nobody_can_say_leave_free_decoding(vosk: VoskRecogniser,
                                                         korean: Speak) -> None:
    bias = Bias((Phrase("?!"), Phrase(chr(0x1F600)), Phrase("")))
    recognition = heard(vosk, korean("네"), bias)
    assert recognition.context == ()
    assert recognition.free[0].text == "네"


def test_whole_audio_under_any_list_of_phrases(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = korean("아니요")
    assert vosk.decode(samples, ["네", "아니요", "unheard of"])[0].text == "아니요"
    assert vosk.decode(samples, ["unheard of", "", "#0"]) == ()
    assert vosk.decode(samples)


def test_one_preparation_serves_many_turns_at_once(vosk: VoskRecogniser, korean: Speak) -> None:
    prepared = vosk.prepare(ANSWERS)
    samples = [korean(text) for text in ("네", "아니요")]
    both = [vosk.start(prepared) for _ in samples]
    for recognition, audio in zip(both, samples, strict=True):
        feed(recognition, audio)
    assert [(r.finish(), r.context[0].text)[1] for r in both] == ["네", "아니요"]


def test_what_comes_after_the_end_disturbs_nobody(vosk: VoskRecogniser, korean: Speak) -> None:
    prepared = vosk.prepare(ANSWERS)
    ended = vosk.start(prepared)
    feed(ended, korean("네"))
    found = ended.finish()
    following = vosk.start(prepared)
    feed(ended, korean("안녕하세요"))
    feed(following, korean("네"))
    ended.close()
    assert following.finish() == found


def test_anticipating_changes_no_result(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = korean("감사합니다")
    pause = len(samples) - SAMPLE_RATE // 2
    recognition = vosk.start(vosk.prepare(ANSWERS))
    feed(recognition, samples[:pause])
    recognition.anticipate()
    feed(recognition, samples[pause:])
    assert recognition.finish() == heard(vosk, samples, ANSWERS).finish()


def test_an_abandoned_utterance_leaves_nothing_behind(vosk: VoskRecogniser,
                                                      korean: Speak) -> None:
    prepared = vosk.prepare(ANSWERS)
    expected = vosk.start(prepared)
    feed(expected, korean("네"))
    abandoned = vosk.start(prepared)
    feed(abandoned, korean("안녕하세요"))
    abandoned.close()
    abandoned.close()
    assert abandoned.finish() == ()
    again = vosk.start(prepared)
    feed(again, korean("네"))
    assert again.finish() == expected.finish()


@pytest.mark.parametrize("samples", [
    np.zeros(0, np.int16), np.zeros(10, np.int16), np.zeros(3 * SAMPLE_RATE, np.int16)],
    ids=["nothing", "10 samples", "silence"])
def test_silence_is_no_speech(vosk: VoskRecogniser, samples: Samples) -> None:
    recognition = vosk.start(vosk.prepare(ANSWERS))
    recognition.accept(samples)
    assert recognition.finish() == ()
    assert recognition.decide().text == ""


@pytest.mark.parametrize("change", [
    lambda x: np.clip(x.astype(np.int32) * 20, -32768, 32767).astype(np.int16),
    lambda x: np.clip(x.astype(np.int32) + 8_000, -32768, 32767).astype(np.int16),
    lambda x: (x // 40).astype(np.int16)], ids=["clipped", "offset", "quiet"])
def test_badly_recorded_answers_are_heard(vosk: VoskRecogniser, korean: Speak,
                                          change: Callable[[Samples], Samples]) -> None:
    assert heard(vosk, change(korean("감사합니다")), ANSWERS).context[0].text == "감사합니다!"


def test_a_minute_does_not_crash(vosk: VoskRecogniser, korean: Speak) -> None:
    samples = np.resize(korean("감사합니다"), 60 * SAMPLE_RATE)
    assert vosk.decode(samples, ["감사합니다", "네"])[0].text.split().count("감사합니다") >= 15


@pytest.mark.long
def test_a_minute_is_decoded_freely(vosk: VoskRecogniser, korean: Speak) -> None:
    assert vosk.decode(np.resize(korean("감사합니다"), 60 * SAMPLE_RATE))[0].text


def test_biases_are_prepared_on_another_thread_while_listening(vosk: VoskRecogniser,
                                                               korean: Speak) -> None:
    recognition = vosk.start(vosk.prepare(ANSWERS))
    samples = korean("감사합니다")
    threads = [threading.Thread(target=vosk.prepare, args=(ANSWERS,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    feed(recognition, samples)
    recognition.finish()
    for thread in threads:
        thread.join()
    assert recognition.context[0].text == "감사합니다!"


def test_a_preparation_of_another_engine_is_refused(vosk: VoskRecogniser) -> None:
    class Foreign:
        bias = ANSWERS

    with pytest.raises(TypeError, match="another engine"):
        vosk.start(Foreign())


def test_control_symbols_are_no_words(vosk: VoskRecogniser) -> None:
    """The library says that it knows some of these; in a grammar they end the process."""
    symbols = ["<eps>", "#0", "<s>", "</s>", "!SIL", "", " ", "네 네", '"네"', "네\\", "\0",
               "\ud800"]
    assert [symbol for symbol in symbols if vosk.model.knows(symbol)] == []
    assert vosk.model.knows("네")


def test_the_vocabulary_can_be_listed(vosk: VoskRecogniser) -> None:
    words = vosk.model.words()
    assert len(words) > 100_000
    assert {"네", "아니요", "감사합니다"} <= set(words)
    assert all(map(vosk.model.knows, words[::5_000]))


HOSTILE = textwrap.dedent('''
    import random, sys
    from pathlib import Path
    import numpy as np
    from agent.asr.vosk.engine import VoskRecogniser
    from agent.biasing import Bias, Phrase

    recogniser = VoskRecogniser(Path(sys.argv[1]))
    draw = random.Random(7)
    noise = np.random.default_rng(0).normal(0, 2000, 4800).astype(np.int16)
    odd = ["", " ", chr(34), "a" + chr(34) + "b", chr(92), "[", "]", "[]", "{}", "null", "<eps>",
           "#0", "#nonterm", "<s> 네 </s>", "!SIL", "[unk]", "<unk>", chr(0), "네" + chr(0),
           chr(0xd800), chr(0x1f600), "\\u202e네", "가" * 100_000, "네 " * 3_000, "1, 2", "%s%n",
           "네" + chr(34) + "]", "\\n", "\\t네\\t"]
    fuzz = ["".join(chr(draw.choice((draw.randrange(1, 128), draw.randrange(0xac00, 0xd7a4),
                                     draw.randrange(0x1f300, 0x1f700))))
                    for _ in range(draw.randrange(12))) for _ in range(1_000)]
    words = recogniser.model.words()
    many = [" ".join(draw.sample(words, 2)) for _ in range(10_000)]
    for phrases in ([], odd, fuzz, ["Bauer"], odd + many, *([phrase, "네"] for phrase in odd)):
        bias = Bias(tuple(Phrase(text, draw.choice((0.1, 1, 5))) for text in phrases))
        prepared = recogniser.prepare(bias)
        for end in ("finish", "close"):
            recognition = recogniser.start(prepared)
            recognition.accept(noise if len(phrases) > 2 else noise[:800])
            getattr(recognition, end)()
    print("survived")
''')


def test_no_phrase_ends_the_process(vosk_folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HOSTILE, str(vosk_folder)], capture_output=True,
                          text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith("survived\n")
    assert done.stderr == ""


@pytest.mark.parametrize(("file", "size"), [
    ("am/final.mdl", None), ("am/final.mdl", 0), ("am/final.mdl", 100_000),
    ("graph/HCLr.fst", None), ("graph/HCLr.fst", 1_000_000), ("graph/Gr.fst", 1_000_000),
    ("ivector/final.ie", 1_000), ("conf/model.conf", None)])
def test_a_damaged_model_is_an_error(tmp_path: Path, vosk_folder: Path, file: str,
                                     size: int | None) -> None:
    """In a process of its own, because the library may end it."""
    broken = tmp_path / "model"
    shutil.copytree(vosk_folder, broken, copy_function=lambda a, b: Path(b).symlink_to(a))
    (broken / file).unlink()
    if size is not None:
        (broken / file).write_bytes((vosk_folder / file).read_bytes()[:size])
    program = ("import sys, pathlib\n"
               "from agent.asr.vosk.model import VoskModel\n"
               "from agent.errors import AgentError\n"
               "try: VoskModel(pathlib.Path(sys.argv[1]))\n"
               "except AgentError as error: print('told:', error.what)\n")
    done = subprocess.run([sys.executable, "-c", program, str(broken)], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("told:")


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="does not hold a Vosk model"):
        VoskModel(tmp_path)


def test_words_are_read_from_the_list_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "words.txt").write_text("<eps> 0\nmeg 1\nbauer 2\n")
    assert vocabulary.read(tmp_path) == ["<eps>", "meg", "bauer"]


@pytest.mark.parametrize("data", [
    b"", b"short", struct.pack("<i", 2125659606), struct.pack("<ii", 2125659606, 1 << 30)])
def test_a_damaged_graph_lists_no_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "Gr.fst").write_bytes(data)
    with pytest.raises(AgentError):
        vocabulary.read(tmp_path)

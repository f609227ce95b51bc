"""Everything that the user can name, made ready to be searched by kind, word and vector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from agent.context import Entry, Vectors

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Library:
    """Entries and their vectors; never changed once made."""

    entries: tuple[Entry, ...] = field(default=(), repr=False)
    vectors: Vectors | None = field(default=None, repr=False)
    """``float32[entries, 384]``, in the entries' order; None where there are none yet."""
    kinds: dict[str, Indices] = field(default_factory=dict, repr=False)
    texts: dict[str, Indices] = field(default_factory=dict, repr=False)
    """Entries by their whole text, in lower case."""
    words: dict[str, Indices] = field(default_factory=dict, repr=False)
    """Entries by each word of their text, in lower case."""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Library:
        """A library without vectors; an entry that is given twice counts once."""
        unique = tuple(dict.fromkeys(entries))
        kinds, texts, words = defaultdict(list), defaultdict(list), defaultdict(list)
        for place, entry in enumerate(unique):
            lower = entry.text.lower()
            kinds[entry.kind].append(place)
            texts[lower].append(place)
            for word in set(lower.split()):
                words[word].append(place)
        return cls(unique, None, *({key: np.array(places, np.int32)
                                    for key, places in table.items()}
                                   for table in (kinds, texts, words)))

    def with_vectors(self, vectors: Vectors) -> Library:
        """The same with vectors, ``float32[entries, 384]``."""
        if len(vectors) != len(self.entries):
            raise ValueError(f"{len(vectors)} vectors for {len(self.entries)} entries")
        return replace(self, vectors=vectors)

    def __len__(self) -> int:
        return len(self.entries)


def key_of(entry: Entry, encoder: str) -> str:
    """Names an entry's vector: the same entry and encoder give the same key, any change another.

    Args:
        entry: The entry.
        encoder: Version of the encoder.
    """
    parts = "\0".join((encoder, entry.kind, entry.described))
    return blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

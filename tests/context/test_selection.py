"""Which names the recogniser is made ready for, and how strongly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.biasing import builders
from agent.context import Entry, selection
from agent.context.library import Library
from agent.context.pace import FEWEST, Pace
from agent.context.signals import Reading
from agent.events import Expectation

CONTACTS = tuple(Entry(f"Person {n}", "contact") for n in range(400))
PLACES = tuple(Entry(f"Spot {n}", "place", "cinema") for n in range(400))
DEVICES = tuple(Entry(f"Lamp {n}", "device") for n in range(200))
LIBRARY = Library.of((*DEVICES, *CONTACTS, *PLACES))


def texts(library: Library, chosen: selection.Selection) -> list[str]:
    return [library.entries[i].text for i in chosen.chosen]


def vectors_for(library: Library, favourite: int) -> Library:
    table = np.random.default_rng(0).normal(size=(len(library), 384)).astype(np.float32)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    table[favourite] = 0
    table[favourite, 0] = 1
    return library.with_vectors(table)


def towards_favourite() -> np.ndarray:
    both = np.zeros((2, 384), np.float32)
    both[:, 0] = 1
    return both


def test_a_question_for_a_name_chooses_people_and_places_before_devices() -> None:
    chosen = selection.choose(LIBRARY, Reading(), Expectation.NAME, limit=300)
    assert len(chosen.chosen) == 300 and not chosen.by_vector
    assert not any(text.startswith("Lamp") for text in texts(LIBRARY, chosen))


def test_what_was_told_lately_comes_first_the_latest_before_the_rest() -> None:
    reading = Reading(names=("Spot 7", "Lamp 3", "nobody known"))
    chosen = selection.choose(LIBRARY, reading, Expectation.FREE, limit=50)
    assert texts(LIBRARY, chosen)[:2] == ["Spot 7", "Lamp 3"]
    first, eleventh = chosen.log_priors[chosen.chosen[[0, 10]]]
    assert first > 1 and first > eleventh


def test_a_word_that_was_said_brings_the_names_that_have_it() -> None:
    chosen = selection.choose(LIBRARY, Reading(names=("17",)), Expectation.FREE, limit=20)
    assert {"Person 17", "Spot 17", "Lamp 17"} == set(texts(LIBRARY, chosen)[:3])


@pytest.mark.parametrize("scan", [None, 1_000])
def test_the_vector_brings_what_is_meant_to_the_front(scan: int | None) -> None:
    library = vectors_for(LIBRARY, 777)
    chosen = selection.choose(library, Reading(), Expectation.FREE, towards_favourite(),
                              limit=300, scan=scan)
    assert chosen.by_vector and chosen.chosen[0] == 777
    assert chosen.log_priors[777] == chosen.log_priors.max() > 3


def test_a_smaller_scan_compares_what_is_likely_without_the_vector() -> None:
    library = vectors_for(LIBRARY, 777)
    reading = Reading(kinds=frozenset({"place"}))
    chosen = selection.choose(library, reading, Expectation.FREE, towards_favourite(),
                              limit=300, scan=400)
    assert chosen.chosen[0] == 777
    missed = selection.choose(library, Reading(kinds=frozenset({"contact"})), Expectation.FREE,
                              towards_favourite(), limit=300, scan=400)
    assert 777 not in missed.chosen


@given(st.integers(1, 1_200), st.lists(st.sampled_from(["Spot 1", "Lamp 9", "person", "x"])),
       st.sampled_from(list(Expectation)))
def test_a_selection_has_no_entry_twice_and_sane_weights(limit: int, names: list[str],
                                                         expectation: Expectation) -> None:
    chosen = selection.choose(LIBRARY, Reading(names=tuple(names)), expectation, limit=limit)
    assert len(set(chosen.chosen)) == len(chosen.chosen) == min(limit, len(LIBRARY))
    log_priors = chosen.log_priors
    assert (np.diff(log_priors[chosen.chosen]) <= 1e-5).all()
    assert np.exp(log_priors).mean() == pytest.approx(1, abs=1e-3)
    assert log_priors.min() >= np.log(selection.STRENGTHS.doubt) - 1e-5


def test_where_nothing_is_known_no_prior_speaks() -> None:
    assert not selection.choose(LIBRARY, Reading(), Expectation.FREE, limit=10).log_priors.any()
    assert not len(selection.log_priors(np.zeros(0, np.float32)))


def test_an_empty_library_chooses_nothing() -> None:
    empty = Library.of(())
    assert len(selection.choose(empty, Reading(), Expectation.NAME, limit=300).chosen) == 0


def test_a_narrowed_bias_keeps_commands_and_drops_what_was_not_chosen() -> None:
    people = tuple(e.text for e in CONTACTS)
    base = builders.standing(builders.Catalogue(contacts=people), ("call {contact}",),
                             {"contact": people})
    library = Library.of(CONTACTS)
    chosen = selection.choose(library, Reading(names=("Person 5",)), Expectation.NAME, limit=40)
    sayable = selection.Sayable.of(base, library)
    bias = sayable.narrowed(library, chosen, 40)
    assert len(bias.phrases) == 40 and bias.carriers == base.carriers
    assert "Person 5" in dict(bias.slots)["contact"] and len(dict(bias.slots)["contact"]) == 40
    assert bias.background is not None
    assert [p.text for p in bias.background.names.phrases] == list(people)
    assert bias.background.log_priors == pytest.approx(chosen.log_priors)
    whole = sayable.narrowed(library, chosen, 400)
    assert len(whole.phrases) == 400 and whole.slots == base.slots and whole.background is None
    assert max(whole.phrases, key=lambda p: p.log_prior).text == "Person 5"


def test_vectors_belong_to_their_entries() -> None:
    with pytest.raises(ValueError, match="2 vectors for 1000 entries"):
        LIBRARY.with_vectors(np.zeros((2, 384), np.float32))


def test_a_slow_machine_does_less_and_recovers() -> None:
    pace = Pace(300)
    assert pace.work(20_000, 2.0).phrases == 300 and pace.work(20_000, 2.0).scan == 20_000
    for _ in range(10):
        pace.scanned(20_000, 2.0)
        pace.prepared(300, 3.0)
    slow = pace.work(20_000, 2.0)
    assert FEWEST <= slow.phrases < 150 and slow.scan < 10_000
    pace.overran()
    assert pace.work(20_000, 2.0).phrases < slow.phrases
    for _ in range(20):
        pace.kept()
        pace.scanned(20_000, 0.01)
        pace.prepared(300, 0.01)
    assert pace.work(20_000, 2.0).phrases == 300
    assert pace.work(20_000, -1.0).phrases == FEWEST

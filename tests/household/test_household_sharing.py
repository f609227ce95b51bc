"""A device's own names together with those of the household's other devices."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialogue.catalogue import CatalogueFiles, Contact, ContactBook, PhoneNumber
from agent.dialogue.catalogue.contacts import parse_contacts
from agent.dialogue.catalogue.sharing import own_documents, shared, vcards

HOME = '''here = "Kitchen"
[[area]]
name = "Kitchen"
[[device]]
name = "Lamp"
kind = "light"
area = "Kitchen"
id = "mine"
'''
OTHER_HOME = '''here = "Hall"
[[area]]
name = "Hall"
[[area]]
name = "kitchen"
[[device]]
name = "lamp"
kind = "switch"
area = "kitchen"
id = "theirs"
[[device]]
name = "Lamp"
kind = "light"
area = "Hall"
'''
PLACES = '[[place]]\nname = "Blue Door"\nkind = "coffee shop"\naddress = "7 Market Square"\n'
CARD = ("BEGIN:VCARD\nVERSION:3.0\nN:Bauer;Meg;;;\nFN:Meg Bauer\nTEL;TYPE=CELL,pref:+1 555 0102\n"
        "NOTE:the secret of the safe\nADR:;;1 Elm Street;;;;\nEND:VCARD\n")


def files(folder: Path, **texts: str) -> CatalogueFiles:
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.file"
        paths[name].write_text(text, encoding="utf-8")
    return CatalogueFiles(**paths)


def test_a_device_gives_its_own_and_no_samples(tmp_path):
    known = files(tmp_path, devices=HOME)
    assert own_documents(known, known.load()) == {"devices": HOME}
    assert own_documents(CatalogueFiles(), CatalogueFiles().load()) == {}


def test_of_contacts_only_names_and_numbers_are_given(tmp_path):
    known = files(tmp_path, contacts=CARD)
    text = own_documents(known, known.load(), ["decaf"])
    assert set(text) == {"contacts", "preferences"}
    assert "secret" not in text["contacts"] and "Elm" not in text["contacts"]
    assert parse_contacts(text["contacts"], "x").contacts == known.load().contacts.contacts


def test_a_broken_file_is_not_given(tmp_path):
    known = files(tmp_path, devices="[[device]\n", places=PLACES)
    assert own_documents(known, known.load()) == {"places": PLACES}


def test_own_entries_win_and_the_others_are_added(tmp_path):
    known = files(tmp_path, devices=HOME, contacts=CARD)
    others = ContactBook([
        Contact("Meg Bauer", "Meg", "Bauer", (), (PhoneNumber("666"),)),
        Contact("Ole Ås", "Ole", "Ås", (), (PhoneNumber("1"),))])
    older = ContactBook([Contact("Ole Ås", "Ole", "Ås", (), (PhoneNumber("2"),))])
    found = shared(known, known.load(), ["decaf"], {
        "devices": [OTHER_HOME], "contacts": [vcards(others.contacts), vcards(older.contacts)],
        "places": [PLACES], "preferences": ['["decaf", "window seats"]']})
    catalogue = found.catalogue
    assert catalogue.problems == ()
    assert catalogue.home.here == "Kitchen"
    assert [(d.name, d.area, d.id) for d in catalogue.home.devices] == [
        ("Lamp", "Kitchen", "mine"), ("Lamp", "Hall", "")]
    assert [a.name for a in catalogue.home.areas] == ["Kitchen", "Hall"]
    numbers = {c.name: [n.number for n in c.numbers] for c in catalogue.contacts.contacts}
    assert numbers == {"Meg Bauer": ["+15550102"], "Ole Ås": ["1"]}
    # Nobody but the household has places: the samples are gone.
    assert [p.name for p in catalogue.places.places] == ["Blue Door"]
    assert found.preferences == ("decaf", "window seats")


def test_without_others_nothing_changes():
    known = CatalogueFiles()
    assert shared(known, known.load(), (), {}).catalogue is known.load()


def test_what_cannot_be_read_of_the_others_is_told_and_the_rest_is_used(tmp_path):
    known = files(tmp_path, devices=HOME)
    found = shared(known, known.load(), (), {
        "devices": ["[[device]]\nname = 'x'\nfrom_the_future = 1\n", OTHER_HOME],
        "contacts": ["no card at all", CARD], "preferences": ["{", "[1]"]})
    assert len(found.catalogue.home.devices) == 2
    assert len(found.catalogue.contacts.contacts) == 1
    told = " ".join(str(problem) for problem in found.catalogue.problems)
    assert "from_the_future" in told and "a device of the household, line 1" in told


NAME = st.text(st.characters(categories=["L", "Zs", "P", "N"]), min_size=1, max_size=20)


@settings(max_examples=40)
@given(st.lists(st.builds(
    Contact, NAME.map(str.strip).filter(lambda n: any(c.isalpha() for c in n)),
    st.sampled_from(["Meg", "Anne Marie", "O'Neil; jr", "a,b"]),
    st.sampled_from(["Bauer", "van der Berg", ""]),
    st.lists(st.sampled_from(["Mum", "Meggie", "M, the first"]), max_size=2,
             unique=True).map(tuple),
    st.lists(st.builds(PhoneNumber, st.from_regex(r"\+?[0-9]{3,12}", fullmatch=True),
                       st.sampled_from(["mobile", "home", "work", "other"]), st.booleans()),
             max_size=3, unique_by=lambda n: n.number).map(tuple)), max_size=4))
def test_contacts_come_over_as_they_are(contacts):
    book = ContactBook(contacts)
    text = vcards(book.contacts)
    found = parse_contacts(text or "\n", "x")
    if book.contacts:
        assert found.problems == ()
    assert [(" ".join(c.name.split()), c.given, c.family, c.nicknames, c.numbers)
            for c in book.contacts] == [
        (c.name, c.given, c.family, c.nicknames, c.numbers) for c in found.contacts]

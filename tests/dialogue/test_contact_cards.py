from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialogue.catalogue import Contact, ContactBook, PhoneNumber, read_contacts


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD")) + "\r\n"


def read(tmp_path: Path, text: str | bytes) -> ContactBook:
    path = tmp_path / "contacts.vcf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_contacts(path)


def test_version_3(tmp_path: Path) -> None:
    book = read(tmp_path, card("N:Bauer;Meg;Ann;Dr.;", "FN:Meg Bauer", "NICKNAME:Meggie,Em",
                               "TEL;TYPE=CELL,pref:+1 (555) 010-0102", "TEL;TYPE=WORK:5550103"))
    [contact] = book.contacts
    assert (contact.name, contact.given, contact.family) == ("Meg Bauer", "Meg", "Bauer")
    assert contact.nicknames == ("Meggie", "Em")
    assert contact.numbers == (PhoneNumber("+15550100102", "mobile", True),
                               PhoneNumber("5550103", "work"))
    assert book.problems == ()


def test_version_2_1_with_quoted_printable(tmp_path: Path) -> None:
    book = read(tmp_path, card("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=A4rtz;Zo=C3=AB",
                               "TEL;CELL:123", "TEL;HOME;VOICE:456", version="2.1"))
    [contact] = book.contacts
    assert contact.name == "Zoë Märtz"
    assert [n.label for n in contact.numbers] == ["mobile", "home"]


def test_version_4_with_uris(tmp_path: Path) -> None:
    book = read(tmp_path, card("FN:Anna Berg", "item1.TEL;VALUE=uri;PREF=1;TYPE=\"voice,cell\":"
                               "tel:+1-555-0199;ext=12", version="4.0"))
    [contact] = book.contacts
    assert contact.numbers == (PhoneNumber("+15550199", "mobile", True),)
    assert (contact.given, contact.family) == ("Anna", "Berg")


def test_folded_lines_and_unix_line_ends(tmp_path: Path) -> None:
    book = read(tmp_path, "BEGIN:VCARD\nVERSION:3.0\nFN:Maximilian von der\n  Heide\n"
                          "TEL:1\nEND:VCARD\n")
    assert book.contacts[0].name == "Maximilian von der Heide"


def test_names_accents_and_articles_do_not_matter_for_finding() -> None:
    book = ContactBook([Contact("Zoë O’Neill-Märtz", "Zoë", "O’Neill-Märtz"),
                        Contact("The Plumber", "The", "Plumber")])
    assert book.find("zoe oneill martz")[0].name == "Zoë O’Neill-Märtz"
    assert book.find("plumber")[0].name == "The Plumber"


def test_a_whole_name_beats_a_part_of_another() -> None:
    book = ContactBook([Contact("Anna", "Anna"), Contact("Anna Berg", "Anna", "Berg")])
    assert [c.name for c in book.find("anna")] == ["Anna"]


def test_cards_of_one_person_become_one(tmp_path: Path) -> None:
    book = read(tmp_path, card("FN:Meg Bauer", "TEL;TYPE=CELL:1")
                + card("FN:meg bauer", "TEL;TYPE=WORK:2") + card("FN:Meg Bauer", "TEL:1"))
    [contact] = book.contacts
    assert sorted(n.number for n in contact.numbers) == ["1", "2"]


BROKEN = [
    ("a line that is none", card("FN:Meg Bauer", "TEL broken"), "Meg Bauer", "correct that line"),
    ("no end", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Meg Bauer\r\n", "Meg Bauer", "END:VCARD"),
    ("no name", card("TEL:123"), "has no name", "FN:"),
    ("text outside", "hello\r\n", "outside of any card", "BEGIN:VCARD"),
]


@pytest.mark.parametrize(("what", "text", "named", "mend"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_broken_card_is_named_and_the_others_stay(what: str, text: str, named: str, mend: str,
                                                    tmp_path: Path) -> None:
    good = card("FN:Tom Kim", "TEL:1")
    book = read(tmp_path, good + text + good.replace("Tom", "Ann"))
    assert [c.name for c in book.contacts] == ["Tom Kim", "Ann Kim"]
    [problem] = book.problems
    assert "contacts.vcf, line 6" in problem.what
    assert named in problem.what
    assert mend in problem.mend


def test_a_missing_file_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    book = read_contacts(tmp_path / "nowhere.vcf")
    assert book.contacts == ()
    assert "nowhere.vcf" in book.problems[0].what


def test_an_empty_file_is_a_problem(tmp_path: Path) -> None:
    assert "is empty" in read(tmp_path, "").problems[0].what


def test_other_encodings_are_told(tmp_path: Path) -> None:
    assert "not UTF-8" in read(tmp_path, b"BEGIN:VCARD\r\nFN:Zo\xeb\r\nEND:VCARD").problems[0].what


def test_utf_16_exports_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, card("FN:Zoë").encode("utf-16")).contacts[0].name == "Zoë"


def test_a_folder_of_cards(tmp_path: Path) -> None:
    (tmp_path / "a.vcf").write_text(card("FN:Ann Kim", "TEL:1"))
    (tmp_path / "b.vcf").write_text("broken")
    (tmp_path / "notes.txt").write_text("not a card")
    book = read_contacts(tmp_path)
    assert [c.name for c in book.contacts] == ["Ann Kim"]
    assert "b.vcf" in book.problems[0].what


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.lists(st.sampled_from(
    ["BEGIN:VCARD", "END:VCARD", "VERSION:3.0", "FN:A B", "N:B;A;;;", "TEL:1", "TEL;;=:", "N:",
     " folded", "FN;ENCODING=QUOTED-PRINTABLE:=", "PHOTO;ENCODING=b:AAAA", "", "x"]),
    max_size=12).map(lambda parts: "\n".join(parts).encode()))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("cards") / "c.vcf"
    path.write_bytes(data)
    book = read_contacts(path)
    assert all(contact.name for contact in book.contacts)


def test_which_number_is_called() -> None:
    mobile, work = PhoneNumber("1", "mobile"), PhoneNumber("2", "work", preferred=True)
    assert Contact("A", numbers=(mobile,)).number() == mobile
    assert Contact("A", numbers=(mobile, work)).number() == work
    assert Contact("A", numbers=(mobile, work)).number("mobile") == mobile
    assert Contact("A", numbers=(mobile, PhoneNumber("3"))).number() is None
    assert Contact("A").number() is None

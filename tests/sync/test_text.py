"""Text for Fortnox: what is replaced, what is left out, and where long texts are split."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fortnox.text import clean, cut, split

# The characters of Fortnox's error 2000359, written down once more on purpose.
SIGNS = set(" \u00a0\n’\\–:.`´,;^¤#%§£$€¢¥©™°&/()=+-*_!?²³®½@0123456789")
WORDS = st.text("abcåäöÅÄÖ0123456789", min_size=1, max_size=40)
LINES = st.lists(st.lists(WORDS, min_size=1).map(" ".join), min_size=1)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ('Projekt "Nova"', "Projekt ’’Nova’’"),
        ("“Nova” och ‘Vega’", "’Nova’’ och ’Vega’"),
        ("Anna's <etapp> [2] {b} a|b ~5", "Anna’s (etapp) (2) (b) a/b -5"),
        ("tabb\there", "tabb here"),
        ("Grattis 🎉!", "Grattis !"),
        ("punkt • ett … slut — klart", "punkt - ett ... slut – klart"),
        ("−5 °C", "-5 °C"),
        ("2 × 3 ± 1", "2 x 3 +/- 1"),
        ("10\u202f000\u2009kr", "10 000 kr"),
        ("10\u00a0000 kr", "10\u00a0000 kr"),
        ("e\u2011post", "e-post"),
        ("12 ㎡ à ⅓", "12 m2 à 1/3"),
        ("A\u030angstro\u0308m", "Ångström"),
        ("ett\r\ntvå\rtre\u2028fyra", "ett\ntvå\ntre\nfyra"),
        ("m² & m³, ½ @ 5 € §1 ©", "m² & m³, ½ @ 5 € §1 ©"),
        ("noll\u200bbredd\ufeff", "nollbredd"),
        ("  \n Kant \n ", "Kant"),
        (None, ""),
    ],
)
def test_what_fortnox_rejects_is_replaced(written: str | None, sent: str) -> None:
    assert clean(written) == sent


@given(st.text())
def test_only_allowed_characters_are_left(text: str) -> None:
    for sign in clean(text):
        assert sign in SIGNS or unicodedata.category(sign).startswith("L")


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_line_breaks_are_kept(lines: list[str], line_break: str) -> None:
    assert clean(line_break.join(lines)).split("\n") == lines


@given(st.text(), st.integers(1, 60))
def test_what_is_cut_is_the_beginning_and_never_too_long(text: str, longest: int) -> None:
    short = cut(text, longest)

    assert short is None or (len(short) <= longest and clean(text).startswith(short))
    assert (short is None) == (clean(text)[:longest].strip() == "")


@given(st.text(), st.integers(2, 60))
def test_pieces_are_never_too_long_and_never_empty(text: str, longest: int) -> None:
    assert all(0 < len(piece) <= longest for piece in split(text, longest))


@given(LINES)
def test_splitting_loses_no_word_and_breaks_none(lines: list[str]) -> None:
    text = "\n".join(lines)

    pieces = split(text, 80)

    assert [word for piece in pieces for word in piece.split()] == text.split()


@given(st.text(), st.integers(2, 60))
def test_splitting_loses_no_sign_but_the_gaps(text: str, longest: int) -> None:
    pieces = split(text, longest)

    assert "".join("".join(pieces).split()) == "".join(clean(text).split())


def test_a_text_that_fits_is_one_piece() -> None:
    assert split("x" * 255, 255) == ["x" * 255]


def test_a_word_longer_than_a_piece_is_broken() -> None:
    assert split("x" * 300, 255) == ["x" * 255, "x" * 45]


def test_a_text_is_split_at_the_last_gap_that_fits() -> None:
    assert split("ett två tre fyra", 9) == ["ett två", "tre fyra"]


def test_a_line_break_is_a_gap() -> None:
    assert split("ett två\ntre fyra", 8) == ["ett två", "tre fyra"]


def test_no_text_is_no_piece() -> None:
    assert split(None, 255) == []
    assert split(" \t🎉 ", 255) == []

"""What a sender says is read strictly, and an error names the field."""

from typing import Any

import pytest

from app import said
from app.errors import Invalid

BAD = {
    "nothing": b"",
    "white space": b"  \n",
    "half an object": b'{"type": ',
    "two objects": b"{} {}",
    "words": b"hello",
    "a comment": b'{"a": 1} // x',
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a raw line break": b'{"a": "\n"}',
    "a raw NUL": b'{"a": "\x00"}',
    "broken UTF-8": b'{"a": "\xff"}',
    "half of UTF-16": b"\xff\xfe{\x00\x00",
    "a hundred thousand lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a form": b"type=invoice.updated&guid=1",
    "XML": b"<?xml version='1.0'?><a/>",
}
NOT_AN_OBJECT = [b"[]", b"null", b"true", b"1", b'"text"', b'[{"type": "invoice.updated"}]']


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        said.read_json(body)
    assert (caught.value.field, caught.value.message) == ("body", "is not JSON")


@pytest.mark.parametrize("body", NOT_AN_OBJECT)
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        said.read_json(body)
    assert (caught.value.field, caught.value.message) == ("body", "is not a JSON object")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(Invalid) as caught:
        said.read_json(f'{{"a": [{number}]}}'.encode())
    assert (caught.value.field, caught.value.message) == ("body", f"{number} is not JSON")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"type": 1, "type": 1}', "type"),
        (b'{"data": {"guid": 1, "x": 2, "guid": 3}}', "guid"),
        (b'{"a": [{"b": {"\\u0063": 1, "c": 2}}]}', "c"),
        (b'{"' + b"x" * 500 + b'": 1, "' + b"x" * 500 + b'": 2}', "x" * 100),
        (b'{"\\ud800": 1, "\\ud800": 2}', "?"),
    ],
)
def test_a_name_given_twice_is_refused_by_its_name(body: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        said.read_json(body)
    assert (caught.value.field, caught.value.message) == (field, "is given twice")
    caught.value.field.encode()


def test_an_object_is_read_with_whatever_else_it_says() -> None:
    body = '{"type": "a", "data": {"guid": "1"}, "Å": [1.5, null, true, 1e3]}'.encode()
    assert said.read_json(body) == {
        "type": "a",
        "data": {"guid": "1"},
        "Å": [1.5, None, True, 1000.0],
    }


TEXTS: list[tuple[Any, str]] = [
    ("x", "x"),
    (88, "88"),
    (0, "0"),
    ("åäö →", "åäö →"),
    ("x" * 100,) * 2,
]
NOT_TEXT: list[tuple[Any, str]] = [
    (True, "is not text"),
    (1.5, "is not text"),
    ([], "is not text"),
    ({}, "is not text"),
    ("x" * 101, "is longer than 100 characters"),
    (10**100, "is longer than 100 characters"),
    ("a\nb", "has characters that cannot be printed"),
    ("a\x00", "has characters that cannot be printed"),
    ("\ud800", "has characters that cannot be printed"),
    ("\u202e", "has characters that cannot be printed"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_text_and_whole_numbers_are_text(value: Any, text: str) -> None:
    assert said.text({"id": value}, "id") == text
    assert said.optional_text({"id": value}, "id") == text


@pytest.mark.parametrize(("value", "message"), NOT_TEXT)
def test_anything_else_is_not(value: Any, message: str) -> None:
    for read in (said.text, said.optional_text):
        with pytest.raises(Invalid) as caught:
            read({"id": value}, "id")
        assert (caught.value.field, caught.value.message) == ("id", message)


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_required_may_not_be_empty(value: Any) -> None:
    with pytest.raises(Invalid, match=r"^data\.guid: is missing$"):
        said.text({"guid": value}, "data.guid")
    assert said.optional_text({"guid": value}, "data.guid") == ""
    assert said.optional_text({}, "data.guid") == ""


def test_a_part_is_an_object() -> None:
    assert said.part({"data": {"guid": "1"}}, "data") == {"guid": "1"}
    for given, message in (({}, "is missing"), ({"data": None}, "is missing")):
        with pytest.raises(Invalid, match=rf"^data: {message}$"):
            said.part(given, "data")
    for value in ([], "x", 1, True):
        with pytest.raises(Invalid, match=r"^data: is not an object$"):
            said.part({"data": value}, "data")

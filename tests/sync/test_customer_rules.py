"""How people write VAT numbers and addresses, and what is made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fortnox.text import clean
from app.severa import schemas as severa
from app.sync.customer import address_lines, countries_of, tax_numbers

NORDBYGG = ("SE556677889901", "556677-8899")


@pytest.mark.parametrize(
    "written",
    [
        "SE556677889901",
        "SE 556677-8899 01",
        "SE556677-889901",
        "SE5566778899",
        "se556677889901",
        "556677-8899",
        "5566778899",
        "556677889901",
        " 556677 - 8899 ",
        "SE 5566.77.8899.01",
    ],
)
def test_a_swedish_number_is_read_however_it_is_written(written: str) -> None:
    assert tax_numbers(written, "SE") == NORDBYGG


@given(st.text(" .", max_size=3), st.sampled_from(["-", ""]), st.sampled_from(["SE", "se", ""]))
def test_gaps_hyphen_and_small_letters_do_not_matter(gap: str, hyphen: str, prefix: str) -> None:
    written = gap.join([prefix, "556677", hyphen, "8899", "01"])

    assert tax_numbers(written, "SE") == NORDBYGG


@given(st.integers(10**9, 10**10 - 1).map(str))
def test_organisation_number_and_vat_number_lead_to_each_other(digits: str) -> None:
    vat_number, organisation_number = tax_numbers(digits, "SE")

    assert organisation_number == f"{digits[:6]}-{digits[6:]}"
    assert tax_numbers(vat_number, "FI") == (vat_number, organisation_number)


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("FI12345678", "FI", "FI12345678"),
        ("FI 1234567-8", "FI", "FI12345678"),
        ("de 123 456 789", "DE", "DE123456789"),
        ("NL123456789B01", "NL", "NL123456789B01"),
        ("NO 987 654 321 MVA", "NO", "NO987654321MVA"),
        ("5566778899", "NO", "5566778899"),
    ],
)
def test_a_foreign_number_has_no_swedish_organisation_number(
    written: str, country: str, expected: str
) -> None:
    assert tax_numbers(written, country) == (expected, None)


@pytest.mark.parametrize(
    ("addressline", "expected"),
    [
        ("Box 123", ("Box 123", None)),
        ("Nordbygg AB\nBox 123", ("Nordbygg AB", "Box 123")),
        ("Nordbygg AB\r\n\r\n Box 123 \r\nEkonomi", ("Nordbygg AB", "Box 123, Ekonomi")),
        ("\n\n", (None, None)),
        (None, (None, None)),
    ],
)
def test_an_address_is_one_line_and_the_others(
    addressline: str | None, expected: tuple[str | None, str | None]
) -> None:
    assert address_lines(addressline) == expected


@given(st.text())
def test_no_line_of_an_address_is_lost(addressline: str) -> None:
    first, others = address_lines(addressline)

    lines = [line.strip() for line in clean(addressline).split("\n") if line.strip()]
    assert [one for one in (first, others) if one] == [
        *lines[:1],
        *filter(None, [", ".join(lines[1:])]),
    ]


def test_a_country_is_known_by_every_name_severa_writes() -> None:
    guid = "c0000000-0000-0000-0000-000000000246"
    finland = severa.Country.model_validate(
        {
            "guid": guid,
            "name": "Finland",
            "englishName": "Finland (en)",
            "code2": "fi",
            "isInEU": True,
        }
    )

    known = countries_of([finland])

    assert set(known) == {guid, "finland", "finland (en)"}
    assert {(one.code, one.in_eu) for one in known.values()} == {("FI", True)}

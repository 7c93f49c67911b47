"""What an update empties: what came from us and is gone, and nothing that others filled in."""

from typing import Any

import pytest
from pydantic import BaseModel

from app.fortnox import schemas as fortnox
from app.sync.invoice_update import ADDRESS, EMPTIED, EMPTIED_ROW, left_over, patch

Payload = dict[str, Any]
BLANK = "API_BLANK"
PRICED = {"DeliveredQuantity": "1", "Price": 100, "VAT": 25}
ARTICLE = {"ArticleNumber": "100", "Description": "Utveckling", "Unit": "h", **PRICED}
ACCOUNT = {"AccountNumber": 3041, "Description": "Utveckling", **PRICED}
TEXT = {"Description": "Utveckling"}


def invoice(*rows: Payload, **header: Any) -> Payload:
    return {"CustomerNumber": "1042", **header, "InvoiceRows": list(rows)}


def row_sent(before: Payload, now: Payload) -> Payload:
    (row,) = patch(before, now)["InvoiceRows"]
    return dict(row)


def test_what_is_as_it_was_is_sent_as_it_is() -> None:
    now = invoice(ARTICLE, TEXT, Project="3001", YourOrderNumber="PO-1")
    assert patch(now, now) == now


def test_the_number_is_not_sent_again() -> None:
    assert patch({}, invoice(DocumentNumber="7")) == invoice()


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("Project", BLANK),
        ("Remarks", BLANK),
        ("YourOrderNumber", BLANK),
        ("Address2", BLANK),
        ("TermsOfPayment", None),  # no such code in Fortnox; it would have to have another
        ("DueDate", None),
        ("CurrencyRate", None),
    ],
)
def test_a_field_of_the_invoice_that_is_gone_is_emptied_where_fortnox_can_be_without(
    field: str, sent: str | None
) -> None:
    before, now = invoice(City="Stockholm", **{field: "1"}), invoice(City="Stockholm")
    assert patch(before, now).get(field) == sent


@pytest.mark.parametrize(
    ("shape", "emptied", "stays"),
    [
        (
            fortnox.InvoiceIn,
            {*EMPTIED, *ADDRESS},
            # Ours once and for all, or what Fortnox cannot be without.
            {"CurrencyRate", "DocumentNumber", "DueDate", "InvoiceDate", "TermsOfPayment"},
        ),
        (
            fortnox.InvoiceRowIn,
            {*EMPTIED_ROW},
            {"AccountNumber", "DeliveredQuantity", "Price", "Project", "VAT"},
        ),
    ],
)
def test_every_field_that_may_be_absent_is_emptied_or_stays_on_purpose(
    shape: type[BaseModel], emptied: set[str], stays: set[str]
) -> None:
    optional = {str(field.alias) for field in shape.model_fields.values() if field.default is None}
    assert optional == emptied | stays


def test_an_address_that_is_gone_as_a_whole_is_left() -> None:
    assert patch(invoice(Address1="Box 1", City="Umeå"), invoice()) == invoice()


@pytest.mark.parametrize(
    ("old", "new", "emptied"),
    [
        (ARTICLE | {"CostCenter": "STH"}, ARTICLE, {"CostCenter": BLANK}),
        (ARTICLE, ACCOUNT, {"ArticleNumber": BLANK, "Unit": BLANK}),
        (ACCOUNT, ARTICLE, {}),
        (ACCOUNT, {**PRICED, "AccountNumber": 3041}, {"Description": BLANK}),
        (TEXT, ARTICLE, {}),
        (
            ARTICLE | {"Project": "3001"},
            TEXT,
            {
                "ArticleNumber": BLANK,
                "AccountNumber": BLANK,
                "CostCenter": BLANK,
                "DeliveredQuantity": "0",
                "Price": 0,
                "Project": BLANK,
                "Unit": BLANK,
                "VAT": 0,
            },
        ),
    ],
)
def test_what_is_gone_from_a_row_is_emptied(old: Payload, new: Payload, emptied: Payload) -> None:
    assert row_sent(invoice(old), invoice(new)) == new | emptied


@pytest.mark.parametrize(
    ("before", "now", "project"),
    [
        (invoice(ARTICLE, Project="1"), invoice(ARTICLE, Project="1"), None),
        (invoice(ARTICLE, Project="1"), invoice(ARTICLE, Project="2"), "2"),
        (invoice(ARTICLE, Project="1"), invoice(ARTICLE), BLANK),
        (invoice(ARTICLE), invoice(ARTICLE, Project="2"), "2"),
        (invoice(ARTICLE | {"Project": "1"}), invoice(ARTICLE, Project="2"), "2"),
        (invoice(ARTICLE | {"Project": "1"}), invoice(ARTICLE, Project="1"), None),
        (invoice(ARTICLE, Project="1"), invoice(ARTICLE | {"Project": "2"}), "2"),
        (invoice(Project="1"), invoice(ARTICLE, Project="2"), "2"),
    ],
)
def test_a_row_follows_the_project_of_the_invoice(
    before: Payload, now: Payload, project: str | None
) -> None:
    assert row_sent(before, now).get("Project") == project


def test_what_still_stands_where_it_was_to_be_replaced_is_found() -> None:
    before = invoice(ARTICLE | {"CostCenter": "STH"}, ACCOUNT, Project="1")
    now = invoice(ARTICLE, ACCOUNT | {"AccountNumber": 3051}, Project="2")
    rows = [
        {"ArticleNumber": "100", "Unit": "h", "CostCenter": "STH", "Project": "2"},
        {"AccountNumber": 3041, "Project": "1"},
    ]
    made = {"DocumentNumber": "1", "CustomerNumber": "1042"}
    wrong = fortnox.Invoice.model_validate(made | {"InvoiceRows": rows})
    assert list(left_over(before, patch(before, now), wrong)) == [
        ("CostCenter", "", "STH"),
        ("AccountNumber", "3051", "3041"),
        ("Project", "2", "1"),
    ]
    right = [
        {"ArticleNumber": "100", "Unit": "h", "CostCenter": "", "Project": "2"},
        {"AccountNumber": 3051, "Project": "API_NORIGHT"},
    ]
    answer = fortnox.Invoice.model_validate(made | {"InvoiceRows": right})
    assert list(left_over(before, patch(before, now), answer)) == []

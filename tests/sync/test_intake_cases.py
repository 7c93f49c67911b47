"""The worked examples of customers and products, Fortnox → Severa."""

import pytest

from app.errors import NothingToDo
from app.fortnox import schemas as fortnox
from app.sync import customer_intake, product_intake
from tests.sync.case_files import Case, cases


@cases("customer", "fortnox_to_severa")
def test_a_customer_reaches_severa_as_its_example_says(case: Case) -> None:
    theirs = fortnox.Customer.model_validate(case.fortnox["Customer"])
    if "skipped" in case.severa:
        with pytest.raises(NothingToDo) as stopped:
            customer_intake.check(theirs)
        assert stopped.value.reason.code == case.severa["skipped"]
        return
    customer_intake.check(theirs)
    assert customer_intake.translate(theirs) == case.severa["record"]


@cases("product", "fortnox_to_severa")
def test_a_product_reaches_severa_as_its_example_says(case: Case) -> None:
    theirs = fortnox.Article.model_validate(case.fortnox["Article"])
    assert product_intake.translate(theirs) == case.severa["record"]

"""Customers, articles, projects and the small registers of the Fortnox sandbox."""

import pytest

from tests.sandbox.fortnox_client import company


def test_a_customer_number_is_taken_for_ever():
    with company() as c:
        again = {"Customer": {"CustomerNumber": "10", "Name": "Annan AB"}}
        assert c.refused("POST", "/3/customers", again) == 2000637
        assert c.http.delete("/3/customers/10").status_code == 204
        assert c.refused("GET", "/3/customers/10", status=404) == 2000433
        assert c.refused("POST", "/3/customers", again) == 2000637


def test_a_customer_has_a_country_and_nulls_and_an_event_of_version_two():
    with company() as c:
        payload = {"Name": "Ny AB", "CountryCode": "SE", "Address1": "Gatan 1"}
        customer = c.post("/3/customers", {"Customer": payload})["Customer"]
        assert (customer["CustomerNumber"], customer["Country"]) == ("1", "Sverige")
        assert (customer["Address2"], customer["TermsOfPayment"]) == (None, "30")
        c.put("/3/customers/1", {"Customer": {"Email": "a@b.se"}})
        assert c.kinds("customers") == ["customer-created-v1", "customer-updated-v2"]
        assert c.get("/3/customers/1")["Customer"]["Address1"] == "Gatan 1"


def test_a_customer_with_invoices_stays():
    with company() as c:
        c.invoice()
        c.refused("DELETE", "/3/customers/10")
        assert "10" in c.tenant.customers


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ZipCode": "12345678901"}, 2000107),
        ({"VATType": "EUREVERSEDVAT", "VATNumber": "nonsense"}, 2004194),
        ({"TermsOfPayment": "31"}, 2000429),
        ({"Currency": "EUR"}, 2000427),
        ({"Name": "Kund <AB>"}, 2000359),
    ],
)
def test_a_customer_is_refused_for(fields, code):
    with company() as c:
        payload = {"Customer": {"Name": "Ny AB", **fields}}
        assert c.refused("POST", "/3/customers", payload) == code
        assert list(c.tenant.customers) == ["10"]


def test_articles_have_unique_numbers_known_units_and_strings_in_the_list():
    with company() as c:
        taken = {"Article": {"ArticleNumber": "100", "Description": "Annan"}}
        assert c.refused("POST", "/3/articles", taken) == 2000013
        strange = {"Article": {"ArticleNumber": "200", "Description": "Dag", "Unit": "dag"}}
        assert c.refused("POST", "/3/articles", strange) == 2000432
        c.tenant.add_unit("dag")
        assert c.post("/3/articles", strange)["Article"]["Type"] == "STOCK"
        listed = c.get("/3/articles", articlenumber="200")["Articles"][0]
        assert (listed["VAT"], listed["PurchasePrice"]) == ("25", "0")


def test_a_price_on_list_a_becomes_the_articles_sales_price_and_a_rows_default():
    with company() as c:
        payload = {"Price": {"ArticleNumber": "100", "PriceList": "A", "Price": 950}}
        c.post("/3/prices", payload)
        assert c.get("/3/articles/100")["Article"]["SalesPrice"] == 950
        assert c.get("/3/prices/A/100")["Price"]["Price"] == 950
        c.put("/3/prices/A/100/0", {"Price": {"Price": 1000}})
        assert len(c.get("/3/prices/sublist/A/100")["Prices"]) == 1
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1"}
        assert c.invoice(InvoiceRows=[row])["Net"] == 1000


def test_units_with_swedish_letters_are_found_and_linked_percent_encoded():
    with company() as c:
        unit = c.http.get("/3/units/f%C3%B6rp").json()["Unit"]
        assert (unit["Code"], unit["@url"]) == (
            "förp",
            "https://api.fortnox.se/3/units/f%C3%B6rp",
        )
        assert [each["Code"] for each in c.get("/3/units")["Units"]] == [
            "förp", "h", "km", "st", "utl",
        ]  # fmt: skip


def test_terms_codes_are_shouted():
    with company() as c:
        payload = {"TermsOfPayment": {"Code": "30days", "Description": "30 dagar"}}
        assert c.post("/3/termsofpayments", payload)["TermsOfPayment"]["Code"] == "30DAYS"
        wrong = {"TermsOfPayment": {"Code": "30-days", "Description": "30 dagar"}}
        assert c.refused("POST", "/3/termsofpayments", wrong) == 2000106


def test_projects_come_and_change_and_have_short_names():
    with company() as c:
        payload = {"Project": {"ProjectNumber": "P2", "Description": "x" * 51}}
        assert c.refused("POST", "/3/projects", payload) == 2000107
        payload["Project"]["Description"] = "x" * 50
        assert c.post("/3/projects", payload)["Project"]["Status"] == "ONGOING"
        done = c.put("/3/projects/P2", {"Project": {"Status": "COMPLETED"}})["Project"]
        assert (done["Status"], done["Description"]) == ("COMPLETED", "x" * 50)
        assert c.kinds("projects") == ["project-created-v1", "project-updated-v1"]


def test_the_company_says_its_number_as_number_and_as_text():
    with company() as c:
        assert c.get("/3/companyinformation")["CompanyInformation"]["DatabaseNumber"] == 654896
        assert c.get("/3/settings/company")["CompanySettings"]["DatabaseNumber"] == "654896"
        assert c.get("/3/settings/lockedperiod") == {"LockedPeriod": {"EndDate": None}}
        c.fortnox.options.empty_locked_period = "absent"
        assert c.get("/3/settings/lockedperiod") == {"LockedPeriod": {}}


def test_manual_vouchers_balance_and_stay_in_their_series():
    with company() as c:
        rows = [{"Account": 1930, "Debit": 10}, {"Account": 3041, "Credit": 10}]
        voucher = {
            "Description": "Test",
            "TransactionDate": "2026-05-05",
            "VoucherSeries": "A",
            "VoucherRows": rows,
        }
        made = c.post("/3/vouchers", {"Voucher": voucher})["Voucher"]
        assert (made["VoucherNumber"], made["Year"], made["ReferenceType"]) == (1, 3, "MANUAL")
        rows[1]["Credit"] = 9
        assert c.refused("POST", "/3/vouchers", {"Voucher": voucher}) == 2000755
        assert len(c.get("/3/vouchers", fromdate="2026-05-01")["Vouchers"]) == 1
        assert c.get("/3/vouchers", financialyear=2)["Vouchers"] == []
        years = {
            each["Id"]: each["FromDate"] for each in c.get("/3/financialyears")["FinancialYears"]
        }
        assert years[3] == "2026-01-01"

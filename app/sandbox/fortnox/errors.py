"""What Fortnox says no with: its codes, and in their own range those nobody has seen."""

from typing import Any

SYSTEM_ERROR = 1000003
BAD_ACCEPT, BAD_CONTENT_TYPE = 1000030, 1000031
ARTICLE_TAKEN, CUSTOMER_TAKEN = 2000013, 2000637
NOT_ALPHANUMERIC, NOT_NUMERIC, NOT_BOOLEAN, TOO_LONG = 2000106, 2000108, 2000134, 2000107
BAD_CHARACTERS, PERIOD_LOCKED = 2000359, 2000401
NO_ACCOUNT, NO_CURRENCY, NO_ARTICLE, NO_TERMS = 2000423, 2000427, 2000428, 2000429
NO_PRICE, NO_PRICE_LIST, NO_UNIT, NO_CUSTOMER, NO_INVOICE = (
    2000430,
    2000431,
    2000432,
    2000433,
    2000434,
)
INACTIVE_ACCOUNT = 2000550
BAD_FILTER, BAD_PARAMETER = 2000587, 2000588
NO_SCOPE, NO_LICENCE = 2000663, 2001101
NOT_BALANCED, NO_PROJECT = 2000755, 2001161
ROW_ARTICLE, ROW_ACCOUNT = 2001302, 2001304
BAD_BODY, UNKNOWN_FIELD, REQUIRED, BAD_JSON = 2001392, 2001399, 2001795, 2002115
INCOMPLETE_ROW, BAD_VAT_NUMBER = 2003977, 2004194
NO_PREDEFINED_ACCOUNT = 2001403

# Made up, because no recording shows Fortnox's own. Let nothing depend on them.
MADE_UP = 9000000
(
    NO_COST_CENTER,
    NO_FINANCIAL_YEAR,
    BAD_VAT_RATE,
    ALREADY_BOOKED,
    ALREADY_CANCELLED,
    NOT_BOOKED,
    NUMBER_TAKEN,
    ALREADY_CREDITED,
    PAID_BEFORE_INVOICED,
    WRONG_CURRENCY,
    NO_SUPPLIER,
    NO_VOUCHER,
    NO_VOUCHER_SERIES,
    NO_MODE_OF_PAYMENT,
    NO_PAYMENT,
    NO_FILE,
    READ_ONLY,
    BAD_CHOICE,
    BAD_DATE,
    IN_USE,
    NO_SUCH_PATH,
    BAD_METHOD,
    NO_DEFAULT_ACCOUNT,
    NO_YEAR,
    NO_PROJECT_ACCOUNTING,
) = range(MADE_UP + 1, MADE_UP + 26)


class Refused(Exception):
    """Nothing was done; `status` 404 is worded in capitals, all else in lower case."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def body(self) -> dict[str, Any]:
        if self.status == 404:
            inner = {"Error": 1, "Message": self.message, "Code": self.code}
        else:
            inner = {"error": 1, "message": self.message, "code": self.code}
        return {"ErrorInformation": inner}


class FileRefused(Exception):
    """The file attachment API speaks its own language."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error, self.message, self.status = error, message, status

    def body(self) -> dict[str, Any]:
        return {"id": "00000000", "error": self.error, "message": self.message}


def missing(code: int, message: str) -> Refused:
    return Refused(code, message, 404)

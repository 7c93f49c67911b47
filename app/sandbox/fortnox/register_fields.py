"""The fields of the small registers, the company and its files, in their order on the wire."""

from app.sandbox.fortnox.shapes import shape

USE = "{ALLOWED|MANDATORY|NOTALLOWED}"

UNIT = shape("!@url *Code(20) CodeEnglish(100) *Description(100)")
PROJECT = shape(
    "!@url Comments(512) ContactPerson(50)=null *Description(50) EndDate:date"
    " ProjectLeader(50)=null ProjectNumber(20)"
    ' Status{NOTSTARTED|ONGOING|COMPLETED}="ONGOING" StartDate:date'
)
PROJECT_ITEM = "@url ProjectNumber Description Status StartDate EndDate ProjectLeader"
COST_CENTER = shape("!@url Active:bool=true *Code(6) *Description Note")
TERMS_OF_PAYMENT = shape("!@url *Code(25) *Description")
CURRENCY = shape(
    "!@url BuyRate:num=1 *Code *Description SellRate:num=1 Unit:num=1 !Date:date !IsAutomatic:bool"
)
MODE_OF_PAYMENT = shape("!@url *AccountNumber(4) Code Description")
VOUCHER_SERIES = shape(
    "!@url !Approver=null *Code(10)"
    " Description(200) Manual:bool=true !NextVoucherNumber:int=1 !Year:int"
)
PREDEFINED_VOUCHER_SERIES = shape("!@url Name *VoucherSeries(1)")
PREDEFINED_ACCOUNT = shape("!@url Name *Account:int")
ACCOUNT = shape(
    f"""
    !@url Active:bool=true BalanceBroughtForward:num !BalanceCarriedForward:num CostCenter
    CostCenterSettings{USE}="ALLOWED" *Description(200) *Number:int OpeningQuantities=null
    Project ProjectSettings{USE}="ALLOWED" !QuantitySettings{USE}="ALLOWED" !QuantityUnit SRU:int
    TransactionInformation TransactionInformationSettings{USE}="ALLOWED" VATCode=null !Year:int
    """
)
ACCOUNT_ITEM = (
    "@url Active BalanceBroughtForward CostCenter CostCenterSettings Description Number"
    " Project ProjectSettings SRU Year VATCode"
)
FINANCIAL_YEAR = shape(
    "!@url !Id:int *FromDate:date *ToDate:date AccountChartType"
    ' AccountingMethod{ACCRUAL|CASH}="ACCRUAL"'
)
PRICE = shape(
    '!@url *ArticleNumber Date=null FromQuantity:num Percent:num Price:num *PriceList="A"'
)
SUPPLIER_INVOICE_FILE = shape("!@url *FileId !Name *SupplierInvoiceNumber !SupplierName")

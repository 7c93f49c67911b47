"""The fields of invoices, payments, supplier invoices and vouchers, in their order on the wire."""

from app.sandbox.fortnox.shapes import shape

INVOICE_ROW = shape(
    """
    AccountNumber:int ArticleNumber(50) !ContributionPercent="0" !ContributionValue="0" !Cost:num
    CostCenter DeliveredQuantity:quantity Description(255) Discount:num
    DiscountType{PERCENT|AMOUNT}="PERCENT" HouseWork:bool HouseWorkHoursToReport:int=null
    HouseWorkType=null Price:num !PriceExcludingVAT:num Project RowId:int StockPointCode=null
    !Total:num !TotalExcludingVAT:num Unit VAT:int VATCode=null
    """
)
INVOICE = shape(
    """
    !@url !@urlTaxReductionList !AccountingMethod="ACCRUAL" Address1 Address2
    AdministrationFee:num !AdministrationFeeVAT:num !Balance:num !BasisTaxReduction:num
    !Booked:bool !Cancelled:bool City(1024) Comments(1024) !ContractReference="0"
    !ContributionPercent:num !ContributionValue:num CostCenter Country !Credit="false"
    !CreditInvoiceReference="0" Currency="SEK" CurrencyRate:num=1 CurrencyUnit:int=1
    CustomerName *CustomerNumber DeliveryAddress1(1024) DeliveryAddress2(1024)
    DeliveryCity(1024) DeliveryCountry DeliveryDate:date DeliveryName(1024)
    DeliveryZipCode(1024) DocumentNumber DueDate:date EDIInformation EUQuarterlyReport:bool
    EmailInformation ExternalInvoiceReference1(80) ExternalInvoiceReference2(80)
    !FinalPayDate:date Freight:num !FreightVAT:num !Gross:num !HouseWork:bool InvoiceDate:date
    !InvoicePeriodEnd !InvoicePeriodStart !InvoiceReference="0" InvoiceRows
    InvoiceType{INVOICE|AGREEMENTINVOICE|INTRESTINVOICE|SUMMARYINVOICE|CASHINVOICE}="INVOICE"
    Labels Language{SV|EN}="SV" !LastRemindDate:date !Net:num NotCompleted:bool !NoxFinans:bool
    OCR !OfferReference="0" !OrderReference="0" !OrganisationNumber OurReference(50)
    OutboundDate:date PaymentWay{CASH|CARD|AG} Phone1(1024) Phone2(1024) PriceList="A"
    PrintTemplate="st" Project Remarks(1024) !Reminders:int !RoundOff:num !Sent:bool
    !TaxReduction:int=null TaxReductionType{none|rot|rut|green}="none" TermsOfDelivery
    TermsOfPayment !TimeBasisReference:int=null !Total:num !TotalToPay:num !TotalVAT:num
    VATIncluded:bool !VoucherNumber:int=null !VoucherSeries=null !VoucherYear:int=null
    !WarehouseReady:bool=true WayOfDelivery YourOrderNumber(75) YourReference(50) ZipCode(1024)
    """,
    one={
        "EDIInformation": shape(
            "EDIGlobalLocationNumber(13)=null EDIGlobalLocationNumberDelivery(13)=null"
            " EDIInvoiceExtra1=null EDIInvoiceExtra2=null EDIOurElectronicReference=null"
            " EDIYourElectronicReference=null !EDIStatus"
        ),
        "EmailInformation": shape(
            "EmailAddressFrom=null EmailAddressTo=null EmailAddressCC=null EmailAddressBCC=null"
            " EmailSubject(100) EmailBody(20000)"
        ),
    },
    many={"InvoiceRows": INVOICE_ROW, "Labels": shape("Id:int Description")},
)
INVOICE_ITEM = (
    "@url Balance Booked Cancelled CostCenter Currency CurrencyRate CurrencyUnit CustomerName"
    " CustomerNumber DocumentNumber DueDate ExternalInvoiceReference1 ExternalInvoiceReference2"
    " InvoiceDate InvoiceType NoxFinans OCR VoucherNumber VoucherSeries VoucherYear WayOfDelivery"
    " TermsOfPayment Project Sent Total FinalPayDate"
)

WRITE_OFF = shape(
    "*AccountNumber:int *Amount:num CostCenter !Currency !Description Project"
    " TransactionInformation(100)"
)
PAYMENT = shape(
    """
    !@url Amount:num AmountCurrency:num !Booked:bool !Currency="SEK" CurrencyRate:num=1
    !CurrencyUnit:num=1 !ExternalInvoiceReference1 !ExternalInvoiceReference2
    !InvoiceCustomerName !InvoiceCustomerNumber *InvoiceNumber:int !InvoiceDueDate:date
    !InvoiceOCR !InvoiceTotal="0" ModeOfPayment ModeOfPaymentAccount:int !Number
    PaymentDate:date !VoucherNumber:int=null !VoucherSeries=null !VoucherYear:int=null
    !Source="direct" WriteOffs
    """,
    many={"WriteOffs": WRITE_OFF},
)
PAYMENT_ITEM = (
    "@url Amount Booked Currency CurrencyRate CurrencyUnit InvoiceNumber Number PaymentDate Source"
)

SUPPLIER_INVOICE_ROW = shape(
    """
    ArticleNumber Account:int
    Code{TOT|VAT|FRT|AFE|ROV|CND|CNC|PRD|PRC|SRD|SRC|PRE|GWB|ACC} CostCenter
    AccountDescription ItemDescription Debit:num DebitCurrency:num Credit:num
    CreditCurrency:num Project TransactionInformation(100) Price:num Quantity:int !Total:num
    !Unit StockPointCode=null StockLocationCode=null
    """
)
SUPPLIER_INVOICE = shape(
    """
    !@url AdministrationFee="0" !AccountingMethod="ACCRUAL" !Balance="0" !Booked:bool
    !Cancelled:bool Comments(1000) CostCenter !Credit:bool !CreditReference:int Currency="SEK"
    CurrencyRate="1" CurrencyUnit:num=1 DisablePaymentFile:bool DueDate:date
    ExternalInvoiceNumber ExternalInvoiceSeries !FinalPayDate:date Freight="0" GivenNumber
    InvoiceDate:date InvoiceNumber(64) OCR OurReference(50) PaymentPending:bool Project
    RoundOffValue="0" SalesType{STOCK|SERVICE}="STOCK" SupplierInvoiceRows *SupplierNumber
    !SupplierName Total="0" VAT="0" VATType{NORMAL|EUINTERNAL|REVERSE}="NORMAL"
    !VoucherNumber:int=null !VoucherSeries=null !VoucherYear:int=null !Vouchers=[]
    YourReference(50)
    """,
    many={"SupplierInvoiceRows": SUPPLIER_INVOICE_ROW},
)
SUPPLIER_INVOICE_ITEM = (
    "@url AuthorizerName Balance Booked Cancel=Cancelled CostCenter Credit Currency CurrencyRate"
    " CurrencyUnit DueDate ExternalInvoiceNumber ExternalInvoiceSeries FinalPayDate GivenNumber"
    " InvoiceDate InvoiceNumber Project SupplierNumber SupplierName Total Vouchers"
)

VOUCHER_ROW = shape(
    "*Account:int CostCenter Credit:num Description Debit:num Project !Removed:bool"
    " TransactionInformation(100) Quantity:num"
)
VOUCHER = shape(
    """
    !@url Comments(1000) CostCenter *Description(200) Project !ReferenceNumber
    !ReferenceType="MANUAL" *TransactionDate:date !VoucherNumber:int VoucherRows *VoucherSeries
    !Year:int !ApprovalState:int
    """,
    many={"VoucherRows": VOUCHER_ROW},
)
VOUCHER_ITEM = (
    "@url ApprovalState Comments Description ReferenceNumber ReferenceType TransactionDate"
    " VoucherNumber VoucherSeries Year"
)

"""The fields of customers, suppliers and articles, in the order they have on the wire."""

from app.sandbox.fortnox.shapes import shape

DELIVERIES = "PRINT|EMAIL|PRINTSERVICE|ELECTRONICINVOICE"

CUSTOMER = shape(
    """
    !@url Address1(1024)=null Address2(1024)=null City(1024)=null !Country=null
    Comments(1024)=null Currency(3)="SEK" CostCenter=null CountryCode(2)=null Active:bool=true
    CustomerNumber(1024) DefaultDeliveryTypes DefaultTemplates DeliveryAddress1(1024)=null
    DeliveryAddress2(1024)=null DeliveryCity(1024)=null !DeliveryCountry=null
    DeliveryCountryCode(2)=null DeliveryFax(1024)=null DeliveryName(1024)=null
    DeliveryPhone1(1024)=null DeliveryPhone2(1024)=null DeliveryZipCode(10)=null
    Email(1024)=null EmailInvoice(1024) EmailInvoiceBCC(1024) EmailInvoiceCC(1024)
    EmailOffer(1024) EmailOfferBCC(1024) EmailOfferCC(1024) EmailOrder(1024)
    EmailOrderBCC(1024) EmailOrderCC(1024) ExternalReference(1024)=null Fax(1024)=null
    GLN(13)=null GLNDelivery(13)=null InvoiceAdministrationFee=null InvoiceDiscount:num=null
    InvoiceFreight=null InvoiceRemark(1024) *Name(1024) OrganisationNumber(30)
    OurReference(50) Phone1(1024)=null Phone2(1024)=null PriceList="A" Project
    SalesAccount(4)=null ShowPriceVATIncluded:bool=false TermsOfDelivery TermsOfPayment
    Type{PRIVATE|COMPANY}="COMPANY" VATNumber
    VATType{SEVAT|SEREVERSEDVAT|EUREVERSEDVAT|EUVAT|EXPORT}="SEVAT" VisitingAddress(128)=null
    VisitingCity(128)=null !VisitingCountry=null VisitingCountryCode(2)=null
    VisitingZipCode(10)=null WayOfDelivery WWW(128) YourReference(50) ZipCode(10)=null
    """,
    one={
        "DefaultDeliveryTypes": shape(
            f'Invoice{{{DELIVERIES}}}="PRINT" Order{{{DELIVERIES}}}="PRINT" '
            f'Offer{{{DELIVERIES}}}="PRINT"'
        ),
        "DefaultTemplates": shape(
            'Order="DEFAULTTEMPLATE" Offer="DEFAULTTEMPLATE" Invoice="DEFAULTTEMPLATE" '
            'CashInvoice="DEFAULTTEMPLATE"'
        ),
    },
)
CUSTOMER_ITEM = (
    "@url Address1 Address2 City CustomerNumber Email Name OrganisationNumber Phone=Phone1 ZipCode"
)

SUPPLIER = shape(
    """
    !@url Active:bool=true Address1=null Address2=null BG=null BIC=null Bank=null
    BankAccountNumber=null BranchCode=null City(1024)=null ClearingNumber=null
    Comments(1024)=null CostCenter=null !Country=null CountryCode(2)=null Currency(3)="SEK"
    DisablePaymentFile:bool=false Email=null Fax=null IBAN=null *Name(1024)
    OrganisationNumber OurCustomerNumber=null OurReference=null PG=null Phone1(1024)=null
    Phone2(1024)=null PreDefinedAccount(4)=null Project=null SupplierNumber TermsOfPayment
    VATNumber=null VATType="NORMAL" VisitingAddress=null VisitingCity=null
    VisitingCountry=null VisitingCountryCode=null VisitingZipCode=null WWW=null WorkPlace=null
    YourReference=null ZipCode=null
    """
)
SUPPLIER_ITEM = (
    "@url Active Address1 Address2 BG BIC BankAccountNumber City CostCenter CountryCode Currency"
    " DisablePaymentFile Email IBAN Name OrganisationNumber PG Phone=Phone1 PreDefinedAccount"
    " Project SupplierNumber TermsOfPayment ZipCode"
)

ARTICLE = shape(
    """
    !@url ArticleNumber(50) Bulky:bool ConstructionAccount:int Depth:int *Description(200)
    !DisposableQuantity:num EAN(30) EUAccount:int=3308 EUVATAccount:int=3106
    ExportAccount:int=3305 Height:int Housework:bool HouseworkType=null Active:bool=true
    Manufacturer(50)=null ManufacturerArticleNumber(50) Note(10000) PurchaseAccount:int=4000
    PurchasePrice:num QuantityInStock:num !ReservedQuantity:num SalesAccount:int=3001
    StockGoods:bool StockPlace(100)=null !StockValue:num StockWarning:num !SupplierName=null
    SupplierNumber=null Type{STOCK|SERVICE}="STOCK" Unit VAT:num=25 WebshopArticle:bool
    Weight:int Width:int Expired:bool !SalesPrice:num=null CostCalculationMethod=null
    StockAccount:int=null StockChangeAccount:int=null DirectCost:num=null FreightCost:num=null
    OtherCost:num=null DefaultStockPoint=null DefaultStockLocation=null !CommodityCode
    """
)
ARTICLE_ITEM = (
    "@url ArticleNumber Description DisposableQuantity EAN Housework PurchasePrice"
    " SalesPrice QuantityInStock ReservedQuantity StockPlace StockValue Unit VAT WebshopArticle"
)

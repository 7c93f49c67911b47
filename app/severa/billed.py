"""What stands behind the rows of an invoice: hours, fees, travels and flat rates."""

from decimal import Decimal

from app.severa.shape import Money, Shape


class Coded(Shape):
    """A product, work type or travel type as it stands on an hour, fee or travel."""

    guid: str | None = None
    code: str | None = None
    name: str | None = None


class ItemProject(Shape):
    guid: str | None = None
    number: int | str | None = None


class BilledItem(Shape):
    """An hour, fee or travel behind an invoice row; on credit notes the reimbursed one."""

    invoice_row_guid: str | None = None
    project: ItemProject | None = None
    work_type: Coded | None = None
    product: Coded | None = None
    travel_expense: Coded | None = None
    quantity: Decimal | None = None
    invoice_quantity: Decimal | None = None
    unit_price: Money | None = None

    @property
    def coded(self) -> Coded | None:
        return self.work_type or self.product or self.travel_expense

    def coded_as(self, code: str | None) -> "BilledItem":
        known = self.coded.model_copy(update={"code": code}) if self.coded else None
        place = next(
            name for name in ("work_type", "product", "travel_expense") if getattr(self, name)
        )
        return self.model_copy(update={place: known})


class FlatRate(Shape):
    guid: str | None = None
    project: ItemProject | None = None

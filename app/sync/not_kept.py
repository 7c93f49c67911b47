"""What Fortnox took and did not keep: the invoice is right, and the log says what it lacks."""

from app.errors import Reason, because
from app.fortnox import schemas as fortnox
from app.sync.invoice_document import Translation


def number(asked: Translation, given: str) -> list[Reason]:
    """Where Severa numbers the invoices and Fortnox has given another number all the same."""
    wanted = asked.invoice.document_number
    if wanted is None or wanted == given:
        return []
    return [because("number_not_kept", asked=wanted, number=given)]


def projects(asked: Translation, answer: fortnox.Invoice) -> list[Reason]:
    """None of those that were sent came back: project accounting is off in Fortnox."""
    sent = asked.invoice
    named = sent.project or any(row.project for row in sent.invoice_rows)
    is_lost = named and not has_project(answer)
    return [because("projects_lost", number=answer.document_number)] if is_lost else []


def has_project(invoice: fortnox.Invoice) -> bool:
    return bool(invoice.project or any(row.project for row in invoice.invoice_rows))

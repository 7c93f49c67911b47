"""The pages of one connection, in the order in which they are offered: (path, name, below it)."""

from app.console.words import _

MENU = (
    ("", _("Start"), ()),
    ("transfers", _("Transfer log"), ("retry",)),
    ("reconciliation", _("Reconciliation"), ()),
    ("registers", _("Registers"), ()),
    ("backfills", _("Carry over"), ()),
    ("events", _("Events"), ("webhook-test",)),
    ("connect", _("Connect"), ("preflight",)),
)

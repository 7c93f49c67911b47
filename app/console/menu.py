"""The pages of one connection, in the order in which they are offered: (path below it, name)."""

from app.console.words import _

MENU = (
    ("", _("Start")),
    ("transfers", _("Transfer log")),
    ("reconciliation", _("Reconciliation")),
    ("registers", _("Registers")),
    ("backfills", _("Carry over")),
    ("events", _("Events")),
    ("connect", _("Connect")),
)

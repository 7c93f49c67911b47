"""Rows that turn out to be about one record go under one subject, and never run at once."""

from app.sync.sides import Sides
from app.worklist import Item


class Renamed(Exception):  # not an error: the row was given back, due under another subject
    pass


def meet(sides: Sides, item: Item, subject: str) -> bool:
    """Takes the subject; True: it is ours only now, and what was read before may be old.

    Renamed where another row holds it: this one is due again when that one is settled.
    """
    if item.subject == subject or sides.plan is not None:
        return False
    if not sides.holder.take_subject(item, subject):
        sides.holder.rename(item, subject)
        raise Renamed
    return True

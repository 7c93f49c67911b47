"""A refusal that integrators read in two ways is put to the vendor before it stops a connection.

Fortnox's 2000310 says that the login is invalid; it was also seen for one record that somebody had
open. If something harmless is answered with the same login, only the one record waits.
"""

from app.errors import ConnectionBlocked, Ending, VendorError, because
from app.sync.patience import waited_for
from app.sync.refusals import ending_of
from app.sync.sides import Sides
from app.worklist import Item

READ_IN_TWO_WAYS = frozenset({"2000310"})


def ending(sides: Sides, item: Item, error: VendorError) -> Ending:
    """What is to be done about a call that did not go through, in doubt after one more question."""
    at_face_value = ending_of(error)
    if error.system != "fortnox" or error.code not in READ_IN_TWO_WAYS:
        return at_face_value
    try:
        sides.fortnox.is_alive()
    except Ending as later:  # our own limit of calls
        return later
    except VendorError as again:
        second = ending_of(again)
        return at_face_value if isinstance(second, ConnectionBlocked) else second
    facts = {"code": error.code, "words": error.words}
    meanwhile = because("fortnox_record_in_use", **facts)
    return waited_for(sides, item, meanwhile, because("fortnox_record_held", **facts))

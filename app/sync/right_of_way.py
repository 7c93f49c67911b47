"""A record that is being made goes first: only the row that makes it knows what it has sent."""

from app import effects, overview, worklist
from app.errors import System, TryLater, because
from app.sync.sides import Sides
from app.waiting import waiting_key
from app.worklist import UNSETTLED


def give_way(sides: Sides, kind: str, number: str, here: System) -> None:
    """For a row of a record in `here` without a link: TryLater while the other row made it here.

    Linking it now would pass what was half made for a record that somebody made by hand. Should
    both be making one, Severa's row goes on.
    """
    if sides.plan is not None:
        return
    with sides.db.reading() as tx:
        makers = effects.makers(tx, sides.name, f"create_{kind}", f"{kind}:{number}")
        if here not in makers or (here == "severa" and "fortnox" in makers):
            return
        maker = worklist.look(tx, makers[here])
        if maker is None or overview.standing(tx, *_at(maker))[0] not in UNSETTLED:
            return
    raise TryLater(
        because("other_record_waiting", kind=kind, why=""),
        waits_for=waiting_key(maker.kind, maker.key),
    )


def _at(item: worklist.Item) -> tuple[str, str, str]:
    return item.connection, item.kind, item.key

"""The offset and the events are kept in one commit: apart, what is cut off between them is lost."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app import cursors, inbox
from tests.ears import kept, listening
from tests.installation import until
from tests.journeys.test_listener import so_far, things_happen
from tests.workshop import Workshop
from workers.ear import Ear


def offset_first(patch: pytest.MonkeyPatch) -> None:
    """The listener without this part of its safety."""
    whole = Ear._store

    def apart(self: Ear, told: Sequence[Any]) -> int:
        with self._hall.db.transaction() as tx:
            steps = [each.step for each in told]
            cursors.put_all(tx, self.hearing.heard(steps), self._hall.clock())
        return whole(self, told)

    patch.setattr(Ear, "_store", apart)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("is_weaker", "heard"), [(False, 3), (True, 2)])
def test_an_event_that_could_not_be_kept_is_told_again(
    shop: Workshop, redis_url: str, monkeypatch: pytest.MonkeyPatch, is_weaker: bool, heard: int
) -> None:
    shop.partners.fortnox.options.websocket_offset = "exclusive"
    shop.partners.books.add_customer(CustomerNumber="10")
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        before, since = len(kept(shop.hall.db)), so_far(shop)
        things_happen(shop, 1)
        until("the first is kept", lambda: len(kept(shop.hall.db)) == before + 1)
        receive, cut = inbox.receive, []

        def cut_off_once(tx: Any, told: Any, now: Any) -> Any:
            if told and not cut:
                cut.append(told)
                raise OperationalError("INSERT", {}, Exception("cut"))
            return receive(tx, told, now)

        monkeypatch.setattr(inbox, "receive", cut_off_once)
        if is_weaker:
            offset_first(monkeypatch)
        things_happen(shop, 1)
        until("it is cut off", lambda: cut)
        things_happen(shop, 1)
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        until("the last is kept", lambda: len(kept(shop.hall.db)) >= before + heard, patience=30)
    assert (so_far(shop) - since, len(kept(shop.hall.db)) - before) == (3, heard)

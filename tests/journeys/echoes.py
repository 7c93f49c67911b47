"""Both systems heard as they change, our own writes too, the way the doors hear them."""

from dataclasses import dataclass, field
from typing import Any

from app import worklist
from app.fortnox import webhook as fortnox_door
from app.severa import webhook as severa_door
from app.sync import wants
from tests.workshop import Workshop

MOST_ROUNDS = 20


@dataclass
class Echoes:
    shop: Workshop
    heard: list[wants.Follows] = field(default_factory=list)

    def listen(self) -> None:
        severa, fortnox = self.shop.partners.severa.options, self.shop.partners.fortnox.options
        severa.notify, severa.notify_api_writes = self._from_severa, True
        fortnox.notify = self._from_fortnox

    def settle(self) -> int:
        """Runs everything that is heard until all is quiet; answers how many writes that took."""
        before = self.shop.partners.writes()
        for _ in range(MOST_ROUNDS):
            heard, self.heard = self.heard, []
            if not heard:
                return self.shop.partners.writes() - before
            with self.shop.hall.db.transaction() as tx:
                found = [one.want for one in heard if one.want]
                worklist.enqueue(tx, found, self.shop.clock())
            self.shop.run()
        raise AssertionError("the two systems never stop telling each other")

    def _from_severa(self, kind: str, guid: str) -> None:
        event = severa_door.SeveraEvent(kind, guid)
        self.heard.append(wants.of_severa(self.shop.name, event))

    def _from_fortnox(self, body: dict[str, Any]) -> None:
        event = fortnox_door.read(body)
        self.heard.append(wants.of_fortnox(self.shop.name, event))

"""Addresses, Fortnox → Severa: invoice, delivery and visiting address ↔ billing, postal and visit.

In Severa one address may be of several types, and the first listed of a type is the one that
counts; addresses are never deleted there, they only cease to be of a type.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app import effects
from app.effects import Effect, Intent
from app.errors import TryLater, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import clean
from app.severa import schemas as severa
from app.sync.sides import Sides
from app.sync.writing import Creation, Found, change, create
from app.worklist import Item

Address = dict[str, Any]  # addressline, postalCode, city, country (code), phone
FLAGS = {"billing": "isBillingAddress", "postal": "isPostalAddress", "visit": "isVisitAddress"}
ATTRIBUTES = {
    "billing": "is_billing_address",
    "postal": "is_postal_address",
    "visit": "is_visit_address",
}


class KnownCountries(Protocol):
    @property
    def countries(self) -> Mapping[str, str]: ...


def translate(theirs: fortnox.Customer) -> dict[str, Address]:
    """By Severa's types; what Fortnox does not know is left out."""
    found = {
        "billing": _address(
            [theirs.address1, theirs.address2],
            theirs.zip_code,
            theirs.city,
            theirs.country_code,
            theirs.phone1,
        ),
        "postal": _address(
            [theirs.delivery_address1, theirs.delivery_address2],
            theirs.delivery_zip_code,
            theirs.delivery_city,
            theirs.delivery_country_code,
        ),
        "visit": _address(
            [theirs.visiting_address],
            theirs.visiting_zip_code,
            theirs.visiting_city,
            theirs.visiting_country_code,
        ),
    }
    return {kind: address for kind, address in found.items() if set(address) - {"country"}}


def _address(
    lines: Sequence[str | None],
    postal_code: str | None,
    city: str | None,
    country: str | None,
    phone: str | None = None,
) -> Address:
    address = {
        "addressline": "\n".join(line for line in lines if line) or None,
        "postalCode": postal_code,
        "city": city,
        "country": country.upper() if country else None,
        "phone": phone,
    }
    return {name: value for name, value in address.items() if value is not None}


def grouped(addresses: Mapping[str, Address]) -> list[tuple[list[str], Address]]:
    """Equal addresses are one in Severa, of several types; the phone is the billing address's."""
    groups: list[tuple[list[str], Address]] = []
    for kind, address in addresses.items():
        same = next((one for one in groups if _place(one[1]) == _place(address)), None)
        if same is None:
            groups.append(([kind], address))
        else:
            same[0].append(kind)
    return groups


def _place(address: Address) -> Address:
    place = {name: value for name, value in address.items() if name != "phone"}
    return place | {"addressline": _plain(address.get("addressline"))}


@dataclass(frozen=True)
class Addresses:
    sides: Sides
    item: Item
    guids: Callable[[], KnownCountries]

    def bring(
        self, customer: str, before: Mapping[str, Address], now: Mapping[str, Address]
    ) -> bool:
        """Writes the types whose address is another one in Severa, if there are any.

        Nothing says in Severa which address is which but its types and what it says, so one is
        begun only when the outcome of the last is known.
        """
        self._finish(customer)
        theirs = {one.guid: one for one in self._listed(customer)}
        missing: dict[str, Address] = {}
        patches: list[tuple[str, Address]] = []
        for kind in (one for one in FLAGS if one in before or one in now):
            current = _first(theirs.values(), kind)
            values = self._values(current, kind, before, now)
            if kind in now and (current is None or FLAGS[kind] in values):
                missing[kind] = now[kind]
            if current is not None and values:
                patches.append((current.guid, values))
                theirs[current.guid] = _as_patched(current, values)
        for kinds, address in grouped(missing):
            self._create(customer, kinds, address)
        for guid, values in patches:
            self._patch(guid, values)
        return bool(missing or patches)

    def _finish(self, customer: str) -> None:
        """What was begun is settled with the content it had, whatever is wanted now."""
        if self.sides.plan is not None:
            return
        last = self._last(customer)
        if last is not None and last.state == "sending":
            self._make(customer, last.payload, last.generation)

    def _listed(self, customer: str) -> list[severa.Address]:
        """TryLater where one that was just made is not among them yet."""
        if not customer:  # imagined, in a dry run
            return []
        listed, last = self.sides.severa.addresses(customer), self._last(customer)
        made = last.target_id if last is not None and last.state == "done" else None
        if last is None or made is None or any(one.guid.lower() == made for one in listed):
            return listed
        pause = self.sides.quarantine / 10
        if last.settled_at and last.settled_at + pause > self.sides.clock():
            raise TryLater(because("outcome_unknown", system="severa", ref=made), after=pause)
        return listed

    def _last(self, customer: str) -> Effect | None:
        with self.sides.db.reading() as tx:
            return effects.last(tx, self._intent(customer, {}))

    def _values(
        self,
        current: severa.Address | None,
        kind: str,
        before: Mapping[str, Address],
        now: Mapping[str, Address],
    ) -> Address:
        """What is to change on the address of this type: it may cease to be of it."""
        if current is None:
            return {}
        if kind not in now:
            return {FLAGS[kind]: False}
        values = self._differing(current, before.get(kind) or {}, now[kind])
        if values and _belongs_elsewhere_too(current, kind, now):
            return {FLAGS[kind]: False}
        return values

    def _differing(self, current: severa.Address, before: Address, now: Address) -> Address:
        names = [name for name in {**before, **now} if name != "country"]
        known = _texts(current)
        values: Address = {
            name: now.get(name) for name in names if _plain(known[name]) != _plain(now.get(name))
        }
        country = self.guids().countries.get(now.get("country") or "")
        if country and country != (current.country.guid if current.country else None):
            values["country/guid"] = country
        return values

    def _create(self, customer: str, kinds: Sequence[str], address: Address) -> None:
        payload = {name: value for name, value in address.items() if name != "country"}
        country = self.guids().countries.get(address.get("country") or "")
        payload |= {"country": {"guid": country}} if country else {}
        last = self._last(customer)
        generation = last.generation + (last.state == "done") if last is not None else 1
        self._make(customer, payload | {FLAGS[kind]: True for kind in kinds}, generation)

    def _make(self, customer: str, payload: Address, generation: int) -> None:
        creation: Creation[severa.Address] = Creation(
            replace(self._intent(customer, payload), generation=generation),
            look=lambda: self._look(customer, payload),
            send=lambda sent: self.sides.severa.create_address(customer, sent),
            number=lambda made: made.guid.lower(),
        )
        create(self.sides, self.item, creation)

    def _intent(self, customer: str, payload: Address) -> Intent:
        return Intent(
            self.sides.name,
            self.item.id,
            "severa",
            "create_address",
            f"address:{customer}",
            payload,
        )

    def _look(self, customer: str, payload: Address) -> Found | None:
        kinds = [kind for kind, flag in FLAGS.items() if payload.get(flag)]
        for one in self.sides.severa.addresses(customer):
            if all(getattr(one, ATTRIBUTES[kind]) for kind in kinds) and _says(one, payload):
                return Found(one.guid.lower())
        return None

    def _patch(self, guid: str, values: Address) -> None:
        intent = Intent(
            self.sides.name,
            self.item.id,
            "severa",
            "update_address",
            f"address:{guid}",
            values,
            creates=False,
        )
        change(self.sides, intent, lambda: self.sides.severa.change_address(guid, values))


def _texts(current: severa.Address) -> dict[str, str | None]:
    known = {"addressline": current.addressline, "postalCode": current.postal_code}
    return known | {"city": current.city, "phone": current.phone}


def _says(current: severa.Address, payload: Address) -> bool:
    """Whether this is what was sent; what was not said may be anything."""
    texts, country = _texts(current), payload.get("country")
    if country and (current.country is None or current.country.guid != country["guid"]):
        return False
    return all(_plain(texts[name]) == _plain(payload[name]) for name in texts if name in payload)


def _first(addresses: Iterable[severa.Address], kind: str) -> severa.Address | None:
    return next((one for one in addresses if getattr(one, ATTRIBUTES[kind])), None)


def _belongs_elsewhere_too(current: severa.Address, kind: str, now: Mapping[str, Address]) -> bool:
    """Whether this address is of another type too, whose address is to stay another one."""
    others = [one for one in FLAGS if one != kind and getattr(current, ATTRIBUTES[one])]
    return any(_place(now.get(one) or {}) != _place(now[kind]) for one in others)


def _as_patched(current: severa.Address, values: Address) -> severa.Address:
    patched = current.model_dump(by_alias=True) | values
    if "country/guid" in values:
        patched["country"] = {"guid": values["country/guid"]}
    return severa.Address.model_validate(patched)


def _plain(text: str | None) -> str:
    """As Fortnox would have it, lines and all: what it replaces is no difference."""
    return ", ".join(line.strip() for line in clean(text).split("\n") if line.strip())

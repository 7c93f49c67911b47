"""The five things a client does with a resource: list, get, post, patch, delete."""

from collections.abc import Iterable

from starlette.responses import Response

from app.sandbox.severa.asking import Ask, answer
from app.sandbox.severa.catalogue import Resource, Sublist
from app.sandbox.severa.entity import Entity, announcement, create, remove
from app.sandbox.severa.filters import tests
from app.sandbox.severa.paging import page
from app.sandbox.severa.patching import patch
from app.sandbox.severa.problems import NotFound
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


class Acts:
    """`events` are told to `options.notify` after the answer is made, when that is wanted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: list[tuple[str, str]] = []

    def list(self, resource: Resource, ask: Ask) -> Response:
        records: Iterable[Record] = self.world.listed(resource.path)
        if resource.path == "projects" and not self.world.options.sales_cases_among_projects:
            records = (record for record in records if self.is_won(record))
        kept = tests(self.world, resource.filters, ask)
        return page(self.world, ask, resource.paging, records, kept)

    def sublist(self, sublist: Sublist, ask: Ask) -> Response:
        self.world.look(sublist.owner, ask.guid)
        records = self.world.listed(sublist.table, ask.guid)
        kept = tests(self.world, sublist.filters, ask)
        return page(self.world, ask, sublist.paging, records, kept)

    def get(self, resource: Resource, ask: Ask) -> Response:
        record = self.world.look(resource.path, ask.guid)
        as_array = resource.path == "flatrates" and self.world.options.flat_rate_as_array
        return answer([record] if as_array else record)

    def post(self, resource: Resource, ask: Ask) -> Response:
        entity = _entity(resource)
        record = create(self.world, entity, ask.object())
        self._note(entity, "created", record)
        return answer([record] if resource.path == "projectfees" else record, 201)

    def patch(self, resource: Resource, ask: Ask) -> Response:
        entity = _entity(resource)
        record = self._current(entity, ask.guid)
        before = record.get("status")
        patch(self.world, entity, record, ask.json())
        verb = "updated" if record.get("status") is before else "status_changed"
        self._note(entity, verb, record)
        return answer([record])

    def delete(self, resource: Resource, ask: Ask) -> Response:
        entity = _entity(resource)
        record = self._current(entity, ask.guid)
        entity.guard(self.world, record, {"guid": ask.guid})
        remove(self.world, entity, record)
        self._note(entity, "deleted", record)
        return Response(status_code=204)

    def is_won(self, project: Record) -> bool:
        status = project["salesStatus"] or {}
        kind = self.world.find("salesstatustypes", status.get("salesStatusTypeGuid"))
        return kind is None or kind["salesState"] == "Won"

    def _current(self, entity: Entity, guid: str) -> Record:
        record = self.world.find(entity.table, guid)
        if record is None:
            raise NotFound
        return record

    def _note(self, entity: Entity, verb: str, record: Record) -> None:
        event = announcement(entity, verb, record)
        if event and self.world.options.notify_api_writes:
            self.events.append(event)


def _entity(resource: Resource) -> Entity:
    if resource.entity is None:
        raise NotFound
    return resource.entity

"""The two sides of a transfer: which system it comes from, and where each record can be read."""

import re
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import Row

from app.api.shapes import Side
from app.settings import Settings

System = Literal["severa", "fortnox"]

FROM_FORTNOX = ("payment", "project_fee")
SEVERA_PATHS = {
    "invoice": "invoices",
    "payment": "invoices",
    "customer": "customers",
    "product": "products",
    "work_type": "worktypes",
    "travel_expense_type": "travelexpensetypes",
    "project": "projects",
    "project_fee": "projectfees",
}
FORTNOX_PATHS = {
    "invoice": "invoices",
    "payment": "invoices",
    "customer": "customers",
    "product": "articles",
    "work_type": "articles",
    "travel_expense_type": "articles",
    "project": "projects",
    "project_fee": "supplierinvoices",
}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}", re.IGNORECASE)
NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/+-]{0,49}")


def sides(row: Row[Any], settings: Settings) -> tuple[Side, Side]:
    """Source and target of a row of the work list."""
    start, entity, record = _parts(row.kind, row.key)
    target: System = "fortnox" if start == "severa" else "severa"
    return (
        _side(settings, start, entity, record, row.source_label),
        _side(settings, target, entity, row.target_id, row.target_label),
    )


def _side(
    settings: Settings, system: System, entity: str, record: str | None, label: str | None
) -> Side:
    if record is not None:
        entity, record = _in_register(entity, record)
    url = _url(settings, system, entity, record)
    template = settings.severa_page if system == "severa" else settings.fortnox_page
    paths = SEVERA_PATHS if system == "severa" else FORTNOX_PATHS
    page = None
    if template and url:  # a template of the administrator's: only these two are filled in
        place = quote(record or "", safe="")
        page = template.replace("{kind}", paths[entity]).replace("{id}", place)
    return Side(system=system, id=record, label=label or record, url=url, page=page)


def _parts(kind: str, key: str) -> tuple[System, str, str]:
    """`fortnox:1042`, `severa:work_type:1a00…`, `work_type:1a00…` or the id alone."""
    start: System = "fortnox" if kind in FROM_FORTNOX else "severa"
    entity, record = kind, key
    if record.startswith("fortnox:"):
        start, record = "fortnox", record.removeprefix("fortnox:")
    elif record.startswith("severa:"):
        start, record = "severa", record.removeprefix("severa:")
    entity, record = _in_register(entity, record)
    return start, entity, record


def _in_register(entity: str, record: str) -> tuple[str, str]:
    word, colon, rest = record.partition(":")
    return (word, rest) if colon and word in SEVERA_PATHS else (entity, record)


def _url(settings: Settings, system: System, entity: str, record: str | None) -> str | None:
    if record is None:
        return None
    if system == "severa":
        known = GUID.fullmatch(record)
        address = f"{settings.severa_url.rstrip('/')}/v1/{SEVERA_PATHS[entity]}/{record}"
    else:
        known = NUMBER.fullmatch(record)
        place = quote(record, safe="")
        address = f"{settings.fortnox_url.rstrip('/')}/3/{FORTNOX_PATHS[entity]}/{place}"
    return address if known else None

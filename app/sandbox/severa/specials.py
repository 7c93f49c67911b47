"""Calls that are no plain resource: places, files, settings, phases as a tree, sales cases."""

from starlette.responses import Response

from app.sandbox.severa.asking import Ask, answer
from app.sandbox.severa.catalogue import PROJECT_FILTERS
from app.sandbox.severa.entity import Entity, create
from app.sandbox.severa.fields import day, flag, text
from app.sandbox.severa.filters import flag as by_flag
from app.sandbox.severa.filters import tests
from app.sandbox.severa.paging import page
from app.sandbox.severa.parties import ADDRESS
from app.sandbox.severa.patching import patch
from app.sandbox.severa.problems import NotFound
from app.sandbox.severa.projects import hierarchy
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

INVOICE_SETTINGS = Entity(
    "invoicesettings",
    {
        "entryDate": day(),
        "paymentDate": day(),
        "isReverseCharged": flag(),
        "reverseChargeDescription": text(),
    },
    {},
)


def countries(world: World, _: Ask) -> Response:
    return answer(list(world.listed("countries")))


def country(world: World, ask: Ask) -> Response:
    """By guid one country, by code or name a list of them."""
    key = ask.parts[2]
    found = world.find("countries", key)
    if found:
        return answer(found)
    names = ("code2", "code3", "name", "englishName")
    hits = [
        record
        for record in world.all("countries")
        if any(str(record[name]).lower() == key.lower() for name in names)
    ]
    if not hits:
        raise NotFound
    return answer(hits)


def languages(world: World, ask: Ask) -> Response:
    kept = tests(world, {"isInvoiceLanguage": by_flag("isInvoiceLanguage")}, ask)
    return page(world, ask, "whole", world.listed("languages"), kept)


def language(world: World, ask: Ask) -> Response:
    return answer(world.look("languages", ask.parts[2]))


def organization_details(world: World, _: Ask) -> Response:
    return answer(world.details)


def organization_settings(world: World, _: Ask) -> Response:
    switches = {
        "setCreditNoteInvoiceNumber": world.options.number_credit_notes,
        "uniqueIdentifierForProductsAndWorktypes": world.options.unique_codes,
    }
    return answer({**world.settings, **switches})


def invoice_settings(world: World, ask: Ask) -> Response:
    return answer(_settings_of(world, ask.guid))


def patch_invoice_settings(world: World, ask: Ask) -> Response:
    """Answers one object, unlike other patches."""
    record = world.look("invoicesettings", ask.guid)
    return answer(patch(world, INVOICE_SETTINGS, record, ask.json()))


def _settings_of(world: World, invoice: str) -> Record:
    world.look("invoices", invoice)
    return next(world.listed("invoicesettings", invoice))


def phases(world: World, ask: Ask) -> Response:
    return answer(hierarchy(world, ask.guid))


def sales_cases(world: World, ask: Ask) -> Response:
    open_ = {t["guid"] for t in world.all("salesstatustypes") if t["salesState"] == "InProgress"}
    records = (
        record
        for record in world.listed("projects")
        if (record["salesStatus"] or {}).get("salesStatusTypeGuid") in open_
    )
    return page(world, ask, "cursor", records, tests(world, PROJECT_FILTERS, ask))


def post_address(world: World, ask: Ask) -> Response:
    world.look("customers", ask.guid)
    given = {k: v for k, v in ask.object().items() if k.lower() != "customer"}
    return answer(create(world, ADDRESS, {**given, "customer": {"guid": ask.guid}}), 201)


def file(world: World, ask: Ask) -> Response:
    return answer(world.look("files", ask.guid))


def file_data(world: World, ask: Ask) -> Response:
    """Wants the fileGuid of an attachment, not its guid."""
    world.look("files", ask.guid)
    content_type, data = world.blobs[ask.guid]
    return Response(data, media_type=content_type)

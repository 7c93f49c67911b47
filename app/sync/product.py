"""Products, work types and travel expense types, Severa → Fortnox: one register of articles there.

Matched on the code, which is the article number, and on the name; either alone is a conflict. New
ones go over whichever side they were made on, updates from the side that is the master.
"""

from functools import partial

from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import cut
from app.links import Link
from app.severa import schemas as severa
from app.sync import product_intake
from app.sync.article_names import only_one_with, same_name
from app.sync.meeting import meet
from app.sync.register import (
    Payload,
    Record,
    Register,
    carry_over,
    is_there,
    known_link,
    name_it,
    unchanged,
)
from app.sync.right_of_way import give_way
from app.sync.seen import digest
from app.sync.sides import Sides
from app.waiting import changed_key
from app.worklist import Item

LONGEST_DESCRIPTION = 200
LONGEST_UNIT = 20


def sync(sides: Sides, item: Item) -> Link:
    """`item.key`: `<register>:<guid>`, as in `work_type:1a00…`, or `fortnox:<ArticleNumber>`."""
    if item.key.startswith("fortnox:"):
        return product_intake.sync(sides, item)
    article = _read(sides, item)
    known, master = known_link(sides, "product", item.key), sides.document.product_master
    name_it(sides, item, article.code, article.name)
    number = known.fortnox_id if known else code_of(article)
    if meet(sides, item, f"product#{number}"):
        article = _read(sides, item)
    if known is None:
        give_way(sides, "product", number, "severa")
    seen = digest(article)
    if known is not None and unchanged(known, master, seen):
        return known
    content = translate(article)
    if known is None:
        _refuse_conflicts(sides, item.key, article, content)
    if known is None or content.unit != (known.carried.get("payload") or {}).get("Unit"):
        _refuse_missing_unit(sides, article, content)
    register = Register(
        "product",
        "ArticleNumber",
        read=sides.fortnox.article,
        create=sides.fortnox.create_article,
        update=sides.fortnox.update_article,
        taken=because("product_code_shared", number=number, names=article.name),
        is_there=lambda key: is_there(lambda one: read(sides, one), key),
        check=partial(_check_same, article),
        seen_from_severa=product_intake.translate,
        master=sides.document.product_master,
    )
    record = Record(item.key, content.article_number, article.name, content, {"seen": seen})
    return carry_over(sides, item, register, record)


def read(sides: Sides, key: str) -> severa.Article:
    register, _, guid = key.partition(":")
    return sides.severa.article(register, guid)


def _read(sides: Sides, item: Item) -> severa.Article:
    try:
        return read(sides, item.key)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind="product")) from error


def translate(article: severa.Article) -> fortnox.ArticleIn:
    """What Severa does not know of a record is not sent."""
    code = code_of(article)
    return fortnox.ArticleIn(
        article_number=code,
        description=cut(article.name, LONGEST_DESCRIPTION) or code,
        type="SERVICE",
        active=article.is_active is not False,
        unit=cut(article.measurement_unit, LONGEST_UNIT),
        vat=article.vat_rate,
    )


def code_of(article: severa.Article) -> str:
    code = (article.code or "").strip()
    if not code.isascii() or not code.isdigit():
        raise Blocked(because("product_code_not_numeric", product=article.name, number=code or "–"))
    return code


def _refuse_conflicts(
    sides: Sides, key: str, article: severa.Article, content: fortnox.ArticleIn
) -> None:
    """Blocked where the code is another one's too, or the name is another article's."""
    only_one_with(sides, content.article_number, but=key)
    for one in sides.fortnox.articles_named(content.description):
        if one.article_number != content.article_number and same_name(
            one.description, article.name
        ):
            raise Blocked(
                because(
                    "product_name_conflict",
                    name=article.name,
                    severa=content.article_number,
                    fortnox=one.article_number,
                ),
                waits_for=changed_key("product", f"fortnox:{one.article_number}"),
            )


def _refuse_missing_unit(sides: Sides, article: severa.Article, content: fortnox.ArticleIn) -> None:
    """Units are made by people in Fortnox: nothing is sent until this one is there."""
    if content.unit is None:
        return
    try:
        sides.fortnox.unit(content.unit)
    except Missing as error:
        raise Blocked(
            because(
                "fortnox_unit_missing",
                product=article.name,
                unit=content.unit,
                system=error.system,
                code=error.code,
                words=error.words,
                status=error.status,
            ),
            waits_for="fortnox:units",
        ) from error


def _check_same(ours: severa.Article, theirs: fortnox.Article, sent: Payload) -> None:
    names = filter(None, (ours.name, sent.get("Description")))
    if not any(same_name(name, theirs.description) for name in names):
        raise Blocked(
            because(
                "product_conflict",
                number=ours.code,
                severa=ours.name,
                fortnox=theirs.description or "",
            ),
            waits_for=changed_key("product", f"fortnox:{theirs.article_number}"),
        )

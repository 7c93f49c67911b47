"""Products, work types and travel expense types, Severa → Fortnox: one register of articles there.

Matched on the code, which is the article number, and on the name; either alone is a conflict.
"""

from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import clean, cut
from app.links import Link
from app.severa import schemas as severa
from app.sync.register import Record, Register, carry_over
from app.sync.sides import Sides
from app.worklist import Item

LONGEST_DESCRIPTION = 200


def sync(sides: Sides, item: Item) -> Link:
    """`item.key`: `<register>:<guid>`, for example `work_type:1a00…`."""
    name_of_register, _, guid = item.key.partition(":")
    try:
        article = sides.severa.article(name_of_register, guid)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind="product")) from error
    content = translate(article)
    register = Register(
        "product",
        "ArticleNumber",
        read=sides.fortnox.article,
        create=sides.fortnox.create_article,
        update=sides.fortnox.update_article,
        check=lambda theirs: _check_same(article, theirs),
    )
    record = Record(item.key, content.article_number, article.name, content, {})
    return carry_over(sides, item, register, record)


def translate(article: severa.Article) -> fortnox.ArticleIn:
    """What Severa does not know of a record is not sent."""
    code = (article.code or "").strip()
    if not code.isascii() or not code.isdigit():
        raise Blocked(because("product_code_not_numeric", product=article.name, number=code or "–"))
    return fortnox.ArticleIn(
        article_number=code,
        description=cut(article.name, LONGEST_DESCRIPTION) or code,
        type="SERVICE",
        active=article.is_active is not False,
        unit=(article.measurement_unit or "").strip() or None,
        vat=article.vat_rate,
    )


def _check_same(ours: severa.Article, theirs: fortnox.Article) -> None:
    if _name(ours.name) != _name(theirs.description):
        raise Blocked(
            because(
                "product_conflict",
                number=ours.code,
                severa=ours.name,
                fortnox=theirs.description or "",
            )
        )


def _name(text: str | None) -> str:
    return " ".join(clean(text).split()).casefold()

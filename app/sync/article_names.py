"""Which articles are the same: those with one code and one name; codes in Severa may be shared."""

from app.errors import Blocked, because
from app.fortnox.text import cut
from app.severa.schemas import Article
from app.sync.sides import Sides

LONGEST = 200


def same_name(one: str | None, other: str | None) -> bool:
    """As Fortnox would have both, without regard to letter case and gaps."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return " ".join((cut(text, LONGEST) or "").split()).casefold()


def only_one_with(sides: Sides, code: str) -> tuple[str, Article] | None:
    """Register and record; Blocked where Severa has the code twice, in one register or in two."""
    found = sides.severa.articles_by_code(code)
    if len(found) > 1:
        names = ", ".join(article.name for _, article in found)
        raise Blocked(because("product_code_shared", number=code, names=names))
    return found[0] if found else None

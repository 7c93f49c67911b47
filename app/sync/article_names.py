"""Which articles are the same: those with one code and one name; codes in Severa may be shared."""

from collections.abc import Sequence

from app.errors import Blocked, because
from app.fortnox.text import cut
from app.severa.schemas import Article
from app.sync.sides import Sides
from app.waiting import changed_key

LONGEST = 200


def same_name(one: str | None, other: str | None) -> bool:
    """As Fortnox would have both, without regard to letter case and gaps."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return " ".join((cut(text, LONGEST) or "").split()).casefold()


def only_one_with(sides: Sides, code: str, but: str = "") -> tuple[str, Article] | None:
    """Register and record; Blocked where Severa has the code twice, in one register or in two.

    `but`: the key of the one that asks, which waits for another of them.
    """
    found = sides.severa.articles_by_code(code)
    if len(found) > 1:
        raise shared(code, found, but)
    return found[0] if found else None


def shared(code: str, found: Sequence[tuple[str, Article]], but: str = "") -> Blocked:
    names = ", ".join(article.name for _, article in found)
    others = [key for key in (key_of(*one) for one in found) if key != but]
    return Blocked(
        because("product_code_shared", number=code, names=names),
        waits_for=changed_key("product", others[-1]),
    )


def key_of(register: str, article: Article) -> str:
    return f"{register}:{article.guid.lower()}"

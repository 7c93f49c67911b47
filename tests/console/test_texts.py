"""Every text of the console is there in each language, and nothing else is in the catalogue."""

import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app import audit
from app.checks import preflight
from app.console import words
from app.console.tongue import LOCALES, SOURCE, Tongue
from app.effects import EffectState
from app.languages import LANGUAGES, Language
from app.sync import wants
from app.worklist import TRANSFERS

HERE = Path(str(files("app.console")))
MARKS = {"_": None, "say": None, "text": None, "texts": (1, 2), "ngettext": (1, 2), "count": (1, 2)}
PLACES = [("**.py", "python"), ("pages/**.html", "jinja2")]
FACT = re.compile(r"%\(\w+\)s")


def _texts() -> set[str | tuple[str, ...]]:
    return {found[2] for found in extract_from_dir(HERE, PLACES, keywords=MARKS)}


@pytest.mark.parametrize("language", set(LANGUAGES) - {SOURCE})
def test_a_catalogue_has_exactly_the_texts_of_the_pages(language: Language) -> None:
    with (HERE / "texts" / f"{language}.po").open("rb") as file:
        catalogue = [message for message in read_po(file) if message.id]
    texts = _texts()
    assert len(texts) > 100
    assert {message.id for message in catalogue} == texts
    for message in catalogue:
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        targets = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(targets), message.id
        assert not message.fuzzy
        for one in targets:
            assert set(FACT.findall(one)) == set(FACT.findall(sources[0])), message.id


def test_every_language_has_its_way_of_writing_dates_and_figures() -> None:
    assert set(LOCALES) == set(LANGUAGES)


def test_every_word_of_ours_that_a_page_shows_has_its_name() -> None:
    source = Path(preflight.__file__).read_text()
    codes = set(re.findall(r'(?:Finding\(|told\(|code =)\s*"(\w+)"', source))
    whole = {check.__name__.strip("_") for check in preflight.CHECKS}
    assert len(codes) > 15
    assert codes | whole <= set(words.CHECKS)
    assert set(audit.ACTIONS) == set(words.ACTS)
    assert set(get_args(EffectState)) == set(words.SENT)
    assert set(TRANSFERS) == set(words.KINDS)


def test_every_event_that_is_understood_has_its_name() -> None:
    heard = [f"{record}.{verb}" for record in wants.SEVERA_KINDS for verb in wants.SEVERA_VERBS]
    heard += [f"{kind}-v1" for kind in wants.FORTNOX] + ["invoice-created"]
    tongue = Tongue("sv", datetime.now(UTC))
    assert [kind for kind in heard if words.event(tongue, kind) == kind] == []
    assert words.event(tongue, "supplier-invoice-bookkeep-v1") == "Leverantörsfaktura: bokfördes"
    assert words.event(tongue, "orders-sung") == "orders-sung"

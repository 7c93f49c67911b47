"""The list of worked examples has every folder, and every example that is named is there."""

import re

from tests.sync.case_files import CASES
from tests.sync.case_index import HEADINGS, MARK, README, about, lists

LINK = re.compile(r"\]\((\w+/\w+)\)")


def test_every_folder_is_listed_with_its_own_first_sentence() -> None:
    written = README.read_text("utf-8").partition(MARK)[2].strip()
    assert written == lists().strip(), "write it anew: python -m tests.sync.case_index"


def test_every_example_says_what_it_is_about() -> None:
    folders = [one for entity in HEADINGS for one in (CASES / entity).iterdir() if one.is_dir()]
    assert [str(one) for one in folders if not about(one)] == []
    assert len(folders) > 180
    assert {one.name for one in CASES.iterdir() if one.is_dir()} == set(HEADINGS)


def test_what_an_accountant_asks_first_is_there() -> None:
    asked = LINK.findall(README.read_text("utf-8").partition(MARK)[0])
    assert [one for one in asked if not (CASES / one).is_dir()] == []
    assert len(asked) > 20

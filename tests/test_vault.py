"""Secrets at rest: sealed with the newest key, opened with any, and only by their owner."""

from typing import Any

import pytest

from app import vault
from app.vault import CannotDecrypt, Vault

OLD, NEW, STRANGE = vault.new_key(), vault.new_key(), vault.new_key()


@pytest.mark.parametrize("content", ["hemlig åäö", "", None, {"a": ["b", None]}, ["x"] * 1000])
def test_what_is_sealed_opens_as_it_was(content: Any) -> None:
    box = Vault([NEW])
    assert box.open("acme", box.seal("acme", content)) == content


def test_a_seal_shows_nothing_and_is_never_the_same_twice() -> None:
    box = Vault([NEW])
    one, two = box.seal("acme", "canary"), box.seal("acme", "canary")
    assert one != two
    assert "canary" not in one
    assert "acme" not in one


def test_after_a_rotation_old_seals_open_and_new_ones_need_the_new_key() -> None:
    old, both = Vault([OLD]), Vault([NEW, OLD])
    sealed = old.seal("acme", "canary")
    assert both.open("acme", sealed) == "canary"
    with pytest.raises(CannotDecrypt):
        old.open("acme", both.seal("acme", "canary"))


def test_what_is_sealed_anew_needs_the_old_key_no_more() -> None:
    resealed = Vault([NEW, OLD]).reseal(Vault([OLD]).seal("acme", "canary"))
    assert Vault([NEW]).open("acme", resealed) == "canary"
    with pytest.raises(CannotDecrypt):
        Vault([OLD]).open("acme", resealed)


def test_moved_to_another_row_it_does_not_open() -> None:
    box = Vault([NEW])
    with pytest.raises(CannotDecrypt, match="do not belong to other"):
        box.open("other", box.seal("acme", "canary"))


def test_without_its_key_it_does_not_open_and_the_error_names_the_owner_only() -> None:
    sealed = Vault([STRANGE]).seal("acme", "canary")
    with pytest.raises(CannotDecrypt) as caught:
        Vault([NEW, OLD]).open("acme", sealed)
    assert str(caught.value) == "no key opens the secrets of acme"


@pytest.mark.parametrize("change", [lambda seal: seal[:-6], lambda seal: "A" + seal[1:], str.upper])
def test_a_damaged_seal_does_not_open(change: Any) -> None:
    box = Vault([NEW])
    with pytest.raises(CannotDecrypt):
        box.open("acme", change(box.seal("acme", "canary")))

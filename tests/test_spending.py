"""A refresh token is spent once: marked before, replaced in one commit, and by one at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from sqlalchemy import select

from app import grants
from app.errors import CONSENT_LOST, Busy, NotSent, Unauthorized, Unclear
from app.fortnox.auth import SPENT, Granted
from app.grants import Holding
from app.hall import Hall
from app.models import grants as rows
from app.models import tokens
from app.spending import QUIET, Purse
from app.tokens import TokenKeeper, TokenStore

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOLDING = Holding("acme", "app", "654896")
HOUR = timedelta(hours=1)


@dataclass
class Fortnox:
    """One company's tokens, by refresh token alone; a spent one is refused."""

    hall: Hall
    good: str = "refresh-0"
    made: int = 0
    asked: list[str] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)
    moment: list[datetime] = field(default_factory=lambda: [NOW])
    first: Callable[[], None] = lambda: None
    afterwards: Callable[[], None] = lambda: None
    _guard: Lock = field(default_factory=Lock)

    def no_credentials(self) -> tuple[str, timedelta]:
        raise Unauthorized("fortnox", "no such grant", code="unauthorized_client")

    def refresh(self, token: str) -> Granted:
        self.asked.append(token)
        self.marks.append(self.row())
        self.first()
        with self._guard:
            if token != self.good:
                raise Unauthorized("fortnox", "Invalid refresh token", code=SPENT)
            self.made += 1
            self.good = f"refresh-{self.made}"
        self.afterwards()
        return Granted(access_token=f"access-{self.made}", refresh_token=self.good)

    def row(self) -> Any:
        with self.hall.db.reading() as tx:
            return tx.execute(select(rows)).one_or_none()

    def held(self) -> str:
        with self.hall.db.reading() as tx:
            found = grants.find(tx, self.hall.vault, HOLDING)
        assert found is not None
        return found.refresh_token

    def consent(self, token: str) -> None:
        self.good = token
        with self.hall.db.transaction() as tx:
            grants.put(tx, self.hall.vault, HOLDING, token, self.moment[0], needed=False)

    def keeper(self) -> TokenKeeper:
        """As another process would have it."""
        hall = self.hall
        clock = lambda: self.moment[0]  # noqa: E731 - read when it is called
        purse = Purse(hall.db, hall.vault, clock, HOLDING, self.no_credentials, self.refresh)
        store = TokenStore(hall.db, hall.vault, hall.settings.var_dir, clock)
        return store.keeper("acme", "fortnox", purse.fetch)


@pytest.fixture
def fortnox(hall: Hall) -> Fortnox:
    made = Fortnox(hall)
    made.consent("refresh-0")
    return made


def test_the_token_is_marked_as_being_spent_before_the_call(fortnox: Fortnox) -> None:
    assert fortnox.keeper().current() == "access-1"
    [mark] = fortnox.marks
    assert len(mark.spending) == 64
    assert mark.refresh_started_at == NOW
    row = fortnox.row()
    assert (row.spending, row.refresh_started_at, row.needed) == (None, None, True)
    assert fortnox.held() == "refresh-1"


def test_fifty_threads_of_three_processes_spend_it_once(fortnox: Fortnox) -> None:
    keepers = [fortnox.keeper() for _ in range(3)]
    barrier = Barrier(50)

    def ask(number: int) -> str:
        barrier.wait()
        return keepers[number % 3].current()

    with ThreadPoolExecutor(50) as threads:
        assert set(threads.map(ask, range(50))) == {"access-1"}
    assert fortnox.asked == ["refresh-0"]


def test_both_new_tokens_are_stored_or_none(fortnox: Fortnox) -> None:
    """The database goes away at the last moment: the mark stays, and nothing is half."""
    keeper = fortnox.keeper()
    text, lifetime, *others = keeper.fetch()

    def fails(_tx: object) -> None:
        raise ConnectionError

    torn = TokenKeeper(keeper.store, keeper.owner, lambda: (text, lifetime, fails))
    with pytest.raises(ConnectionError):
        torn.current()
    with fortnox.hall.db.reading() as tx:
        assert tx.execute(select(tokens)).all() == []
    assert len(others) == 1
    assert fortnox.held() == "refresh-0"
    assert fortnox.row().spending is not None


def test_an_unknown_outcome_is_left_alone_for_a_while_and_then_asked_once(
    fortnox: Fortnox,
) -> None:
    def lost() -> None:
        raise Unclear("fortnox", "ReadError")

    fortnox.afterwards = lost
    with pytest.raises(Unclear):
        fortnox.keeper().current()
    fortnox.afterwards = lambda: None
    for _ in range(3):
        with pytest.raises(Busy):
            fortnox.keeper().current()
    assert fortnox.asked == ["refresh-0"]
    fortnox.moment[0] += QUIET
    for _ in range(3):
        with pytest.raises(Unauthorized) as refusal:
            fortnox.keeper().current()
        assert refusal.value.code == CONSENT_LOST
    assert fortnox.asked == ["refresh-0", "refresh-0"]


@pytest.mark.parametrize(
    "refusal",
    [
        NotSent("fortnox", "ConnectError"),
        Busy("fortnox", after=1),
        Unauthorized("fortnox", "no", code="invalid_client"),
    ],
)
def test_a_call_that_was_not_done_leaves_the_token_as_it_was(
    fortnox: Fortnox, refusal: Exception
) -> None:
    def fail() -> None:
        raise refusal

    fortnox.first = fail
    with pytest.raises(type(refusal)):
        fortnox.keeper().current()
    assert fortnox.row().spending is None
    fortnox.first = lambda: None
    assert fortnox.keeper().current() == "access-1"
    assert fortnox.asked == ["refresh-0", "refresh-0"]


def test_a_consent_that_comes_while_the_old_token_is_refused_is_used(fortnox: Fortnox) -> None:
    fortnox.good = "somebody else's"

    def consent() -> None:
        fortnox.first = lambda: None
        fortnox.consent("new-consent")

    def refuse_after_consent() -> None:
        consent()
        raise Unauthorized("fortnox", "Invalid refresh token", code=SPENT)

    fortnox.first = refuse_after_consent
    assert fortnox.keeper().current() == "access-1"
    assert fortnox.asked == ["refresh-0", "new-consent"]
    assert fortnox.row().lost_at is None


def test_a_consent_that_comes_while_the_old_token_is_spent_is_not_overwritten(
    fortnox: Fortnox,
) -> None:
    fortnox.afterwards = lambda: fortnox.consent("new-consent")
    fortnox.keeper().current()
    assert fortnox.held() == "new-consent"


def test_a_vendor_that_names_no_new_token_leaves_the_old_one(fortnox: Fortnox) -> None:
    hall = fortnox.hall

    def refresh(_token: str) -> Granted:
        return Granted(access_token="access")

    purse = Purse(hall.db, hall.vault, lambda: NOW, HOLDING, fortnox.no_credentials, refresh)
    store = TokenStore(hall.db, hall.vault, hall.settings.var_dir, lambda: NOW)
    assert store.keeper("acme", "fortnox", purse.fetch).current() == "access"
    assert fortnox.held() == "refresh-0"


def test_it_is_sealed_for_one_connection_app_and_company(fortnox: Fortnox) -> None:
    assert "refresh-0" not in str(tuple(fortnox.row()))
    others = [
        Holding("acme", "other", "654896"),
        Holding("acme", "app", "777777"),
        Holding("beta", "app", "654896"),
    ]
    with fortnox.hall.db.reading() as tx:
        assert [grants.find(tx, fortnox.hall.vault, one) for one in others] == [None] * 3


def test_a_token_is_good_for_its_own_credentials_only(fortnox: Fortnox) -> None:
    hall = fortnox.hall
    asked: list[str] = []
    store = TokenStore(hall.db, hall.vault, hall.settings.var_dir, lambda: NOW)

    def ask(credentials: str) -> str:
        def fetch() -> tuple[str, timedelta]:
            asked.append(credentials)
            return f"token of {credentials}", HOUR

        return store.keeper("acme", "severa", fetch, credentials).current()

    assert [ask("old"), ask("old"), ask("new"), ask("new")] == [
        "token of old",
        "token of old",
        "token of new",
        "token of new",
    ]
    assert asked == ["old", "new"]

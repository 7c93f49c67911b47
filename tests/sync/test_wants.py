"""What is heard leads somewhere, is ignored for a reason, or is said to be unknown."""

import pytest

from app.api import sides
from app.fortnox.webhook import FortnoxEvent
from app.severa.webhook import SeveraEvent
from app.sync import HANDLERS, wants
from app.sync.polls.severa_records import ENTITIES
from app.sync.wants import FORTNOX, IGNORED, IGNORED_TOPICS, SEVERA_KINDS, TOPICS
from app.worklist import TRANSFERS

REGISTER_VERBS = ("created", "updated", "deleted")


def from_fortnox(kind: str, topic: str = "") -> FortnoxEvent:
    topic = topic or TOPICS[kind.rpartition("-")[0]]
    return FortnoxEvent(topic, kind, "o1", "7", year="2", series="A", number="3", invoice_id="")


@pytest.mark.parametrize("kind", FORTNOX)
def test_an_event_of_fortnox_leads_to_a_kind_that_has_a_bench_and_is_on_a_topic_we_hear(
    kind: str,
) -> None:
    want = wants.of_fortnox("acme", from_fortnox(kind)).want
    assert want is not None
    assert want.kind in HANDLERS
    assert TOPICS[kind.rpartition("-")[0]] in wants.topics()


def test_whatever_may_move_money_or_a_register_is_followed() -> None:
    followed = {kind: wants.of_fortnox("acme", from_fortnox(kind)).want for kind in FORTNOX}
    verbs = ("created", "updated", "bookkeep", "cancelled")
    assert {kind: (want.kind, want.key) for kind, want in followed.items() if want} == {
        **{f"customer-{verb}": ("customer", "fortnox:7") for verb in REGISTER_VERBS},
        **{f"article-{verb}": ("product", "fortnox:7") for verb in REGISTER_VERBS},
        **{f"invoice-{verb}": ("payment", "7") for verb in verbs[1:]},
        **{f"invoicepayment-{verb}": ("invoice_payment", "7") for verb in ("bookkeep", "deleted")},
        **{f"supplier-invoice-{verb}": ("project_fee", "7") for verb in verbs},
        **{f"voucher-{verb}": ("voucher", "2/A/3") for verb in verbs[:2]},
    }


def test_an_event_of_severa_leads_to_a_transfer_that_has_a_bench() -> None:
    assert set(SEVERA_KINDS.values()) <= {*TRANSFERS} & {*HANDLERS}
    assert {*ENTITIES.values()} <= {*SEVERA_KINDS}


@pytest.mark.parametrize("kind", TRANSFERS)
def test_a_transfer_has_a_bench_and_a_page_in_both_systems(kind: str) -> None:
    assert kind in HANDLERS
    assert kind in sides.SEVERA_PATHS
    assert kind in sides.FORTNOX_PATHS


def test_nothing_is_both_followed_and_ignored() -> None:
    assert not {*FORTNOX} & IGNORED
    assert not {*wants.topics()} & IGNORED_TOPICS


@pytest.mark.parametrize("kind", sorted(IGNORED))
def test_what_is_ignored_leads_nowhere_and_says_so(kind: str) -> None:
    event = from_fortnox(kind, "invoices")
    assert wants.of_fortnox("acme", event) == wants.Follows(None, "nothing_follows")


@pytest.mark.parametrize("kind", ["user.updated", "invoice.sung", "user.sung"])
def test_what_severa_never_told_before_is_unknown(kind: str) -> None:
    follows = wants.of_severa("acme", SeveraEvent(kind, "a"))
    assert follows == wants.Follows(None, "unknown_event_type")


def test_what_fortnox_never_told_before_is_unknown() -> None:
    follows = wants.of_fortnox("acme", from_fortnox("invoice-sung", "invoices"))
    assert follows == wants.Follows(None, "unknown_event_type")

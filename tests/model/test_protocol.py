"""No order of events makes two; and every part of the design is needed for that."""

import pytest

from tests.model.protocol import Design, Limits, search, weakened


@pytest.mark.parametrize("limits", [Limits(), Limits(crashes=4, posts=4)])
def test_the_design_never_makes_a_second_one_and_can_always_finish(limits: Limits) -> None:
    outcome = search(Design(), limits)
    assert outcome.story == ()
    assert not outcome.done_without_one
    assert outcome.can_finish


def test_a_number_that_the_target_keeps_unique_needs_neither_lock_nor_lookup() -> None:
    design = Design(lock="none", intent=False, quarantine=False, lookup=False, unique_number=True)
    assert search(design).story == ()


def test_before_the_first_attempt_a_look_is_needed_only_against_an_older_life() -> None:
    """What `first_look` shares among rows: every record of the model begins without one."""
    outcome = search(weakened(first_lookup=False), Limits(crashes=4, posts=4))
    assert outcome.story == ()
    assert outcome.can_finish
    assert search(weakened(first_lookup=False, intent=False)).story


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(weakened(lock="lease"), id="a lease that can expire under a live worker"),
        pytest.param(weakened(lock="none"), id="no lock"),
        pytest.param(weakened(intent=False), id="no intent"),
        pytest.param(weakened(quarantine=False), id="no quarantine"),
        pytest.param(weakened(fresh=False), id="a quarantine that counts from the intent"),
        pytest.param(weakened(lookup=False), id="no lookup"),
        pytest.param(weakened(blind_retry=True), id="a client that retries by itself"),
    ],
)
def test_without_any_one_part_there_is_a_way_to_two(design: Design) -> None:
    outcome = search(design)
    assert outcome.story, f"{outcome.states} states and no second one: the model is blind"


def test_the_shortest_way_to_two_without_a_quarantine_is_a_late_request() -> None:
    story = search(weakened(quarantine=False)).story
    assert story.count("worker 0 sends") + story.count("worker 1 sends") == 2
    assert story[-1] == "a request takes effect"

"""The protocol of `app/sync/writing.py` as a small machine, and a search through all it can do.

Two workers, one record. Between any two steps a worker may be paused for as long as the others
like, or be killed; a request may arrive late, arrive and its answer be lost, or be lost altogether.
The record is new in the beginning: nothing of an older life of the database is in the target.
The one trust placed in the target: once the quarantine has passed, no request of an earlier
attempt can take effect any more, and a lookup sees what was created before.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")
Place = Literal["idle", "look", "intend", "send", "await", "finish"]


@dataclass(frozen=True)
class Design:
    """What protects a creating write; the product's own design has all of it."""

    lock: Literal["process", "lease", "none"] = "process"
    intent: bool = True
    quarantine: bool = True
    fresh: bool = True  # the quarantine counts from the call and from the doubt, not the intent
    lookup: bool = True
    first_lookup: bool = True  # also before the first attempt of all
    blind_retry: bool = False
    unique_number: bool = False  # the target refuses a second one by itself


@dataclass(frozen=True)
class Limits:
    crashes: int = 2
    posts: int = 3


class Worker(NamedTuple):
    place: Place = "idle"
    retried: bool = False  # its client has sent the same request a second time


class State(NamedTuple):
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    holder: int | None = None
    record: Literal["new", "sending", "done"] = "new"
    rested: bool = True  # the quarantine of the latest attempt has passed
    travelling: int = 0  # requests that may still take effect
    answers: tuple[bool, bool] = (False, False)  # an answer is on its way to this worker
    made: int = 0
    crashes: int = 0
    posts: int = 0


class Outcome(NamedTuple):
    """`story`: the shortest way to a second one; empty when there is none."""

    states: int
    story: tuple[str, ...]
    done_without_one: bool
    can_finish: bool


def search(design: Design, limits: Limits | None = None) -> Outcome:
    """Breadth first through every reachable state."""
    limits = limits or Limits()
    start = State()
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    done_without_one = can_finish = False
    while waiting:
        state = waiting.popleft()
        if state.made > 1:
            return Outcome(len(came_from), _story(came_from, state), done_without_one, can_finish)
        if state.record == "done":
            can_finish = True
            done_without_one |= state.made == 0
        for label, following in _steps(design, limits, state):
            if following not in came_from:
                came_from[following] = (state, label)
                waiting.append(following)
    return Outcome(len(came_from), (), done_without_one, can_finish)


def _story(came_from: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    labels: list[str] = []
    before = came_from[state]
    while before is not None:
        state, label = before
        labels.append(label)
        before = came_from[state]
    return tuple(reversed(labels))


def _steps(design: Design, limits: Limits, state: State) -> Iterator[tuple[str, State]]:
    for number in (0, 1):
        for label, following in _worker_steps(design, limits, state, number):
            yield f"worker {number} {label}", following
        if state.crashes < limits.crashes and state.workers[number].place != "idle":
            yield f"worker {number} is killed", _killed(state, number)
        if design.lock == "lease" and state.holder == number:
            yield f"the lease of worker {number} expires", state._replace(holder=None)
    if state.travelling:
        landed = state._replace(travelling=state.travelling - 1, made=_made(design, state))
        yield "a request takes effect", landed
        for number in (0, 1):
            if state.workers[number].place == "await":
                answers = _with(state.answers, number, value=True)
                yield f"… and is answered to worker {number}", landed._replace(answers=answers)
        yield "a request is lost", state._replace(travelling=state.travelling - 1)
    if not state.rested and not (design.quarantine and state.travelling):
        yield "the quarantine passes", state._replace(rested=True)


def _worker_steps(
    design: Design, limits: Limits, state: State, number: int
) -> Iterator[tuple[str, State]]:
    worker = state.workers[number]
    if worker.place == "idle":
        if state.record != "done" and _may_begin(design, state):
            holder = state.holder if design.lock == "none" else number
            looks = design.lookup and (design.first_lookup or state.record != "new")
            first: Place = "look" if looks else "intend"
            yield "takes the record", _at(state, number, first)._replace(holder=holder)
    elif worker.place == "look":
        found = state.made > 0
        yield (
            ("finds it", _at(state, number, "finish"))
            if found
            else (
                "finds nothing",
                _at(state, number, "intend"),
            )
        )
    elif worker.place == "intend":
        kept = state._replace(record="sending", rested=False) if design.intent else state
        yield "commits the intent", _at(kept, number, "send")
    elif worker.place == "send":
        yield from _sending(design, limits, state, number)
    elif worker.place == "await":
        yield from _awaiting(design, limits, state, number)
    elif worker.place == "finish":
        yield "commits that it is done", _let_go(state, number)._replace(record="done")


def _sending(
    design: Design, limits: Limits, state: State, number: int
) -> Iterator[tuple[str, State]]:
    if design.fresh and design.intent and state.rested:
        yield "was paused, and commits the intent again", state._replace(rested=False)
    elif state.posts < limits.posts:
        sent = state._replace(travelling=state.travelling + 1, posts=state.posts + 1)
        yield "sends", _at(sent, number, "await")


def _awaiting(
    design: Design, limits: Limits, state: State, number: int
) -> Iterator[tuple[str, State]]:
    worker = state.workers[number]
    if state.answers[number]:
        answers = _with(state.answers, number, value=False)
        yield "hears the answer", _at(state, number, "finish")._replace(answers=answers)
        return
    if design.blind_retry and not worker.retried and state.posts < limits.posts:
        again = state._replace(travelling=state.travelling + 1, posts=state.posts + 1)
        yield (
            "times out and sends again",
            again._replace(
                workers=_with(state.workers, number, value=worker._replace(retried=True))
            ),
        )
    doubted = state._replace(rested=False) if design.fresh and design.intent else state
    yield "gives up waiting", _let_go(doubted, number)


def _may_begin(design: Design, state: State) -> bool:
    free = design.lock == "none" or state.holder is None
    in_doubt = design.intent and state.record == "sending"
    return free and (not in_doubt or state.rested or not design.quarantine)


def _made(design: Design, state: State) -> int:
    return 1 if design.unique_number else state.made + 1


def _at(state: State, number: int, place: Place) -> State:
    return state._replace(workers=_with(state.workers, number, value=Worker(place)))


def _let_go(state: State, number: int) -> State:
    answers = _with(state.answers, number, value=False)
    holder = None if state.holder == number else state.holder
    return _at(state, number, "idle")._replace(holder=holder, answers=answers)


def _killed(state: State, number: int) -> State:
    """Its lock ends with it; what it has sent is on its way all the same."""
    return _let_go(state, number)._replace(crashes=state.crashes + 1)


def _with(pair: tuple[T, T], number: int, *, value: T) -> tuple[T, T]:
    return (value, pair[1]) if number == 0 else (pair[0], value)


def weakened(**changes: object) -> Design:
    return replace(Design(), **changes)  # type: ignore[arg-type]

"""How long a failed job waits: within a span that doubles up to an hour, and about a day in all."""

import random
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.work_queue import worker
from shared.work_queue.worker import LONGEST_SPAN_SECONDS, MAX_TRIES, SHORTEST_SPAN_SECONDS, delay

tries = st.integers(min_value=1, max_value=MAX_TRIES)


@given(tries, st.randoms(use_true_random=False))
def test_a_delay_is_within_its_span(tries: int, chance: random.Random) -> None:
    span = min(LONGEST_SPAN_SECONDS, SHORTEST_SPAN_SECONDS * 2 ** (tries - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "random", chance)
        assert 0 <= delay(tries) <= span


@given(tries)
def test_the_jitter_is_full(tries: int) -> None:
    """From nothing to the whole span, evenly: what failed together spreads over all of it."""
    span = longest(tries)
    drawn = sorted(delay(tries) for _ in range(400))
    assert drawn[0] < span * 0.1
    assert drawn[-1] > span * 0.9
    assert mean(drawn) == pytest.approx(span / 2, rel=0.2)


def test_spans_double_and_then_stay_at_an_hour() -> None:
    spans = [longest(tries) for tries in range(1, MAX_TRIES)]
    assert all(later == min(2 * earlier, 3600) for earlier, later in pairwise(spans))
    assert (spans[0], spans[-1]) == (1, 3600)


def test_the_tries_last_about_a_day() -> None:
    expected = sum(longest(tries) / 2 for tries in range(1, MAX_TRIES))
    assert 23 * 3600 < expected < 25 * 3600
    chance = random.Random(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "random", chance)
        totals = sorted(sum(delay(tries) for tries in range(1, MAX_TRIES)) for _ in range(1000))
    assert totals[10] > 16 * 3600, "99 of 100 jobs outlast a night"


def longest(tries: int) -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random, "uniform", lambda _shortest, longest: longest)
        return delay(tries)

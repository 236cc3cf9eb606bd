"""Traces go on from what came in, and begin anew where that cannot be trusted."""

import asyncio

import pytest

from shared.tracing import Trace, current_trace, new_trace, outgoing_headers, span_of, trace_at_hand, tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_trace_goes_on_with_a_span_of_its_own() -> None:
    trace = new_trace(f"00-{TRACE}-{SPAN}-01", "0001" * 8, "event-1")
    assert (trace.trace_id, trace.correlation_id, trace.causation_id) == (TRACE, "0001" * 8, "event-1")
    assert trace.span_id != SPAN
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-01"


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-zz",
    ],
)
def test_a_malformed_traceparent_starts_anew(malformed: str | None) -> None:
    first, second = new_trace(malformed), new_trace(malformed)
    assert TRACE not in first.traceparent
    assert first.trace_id != second.trace_id
    assert new_trace(first.traceparent).trace_id == first.trace_id, "what we send is well-formed"


@pytest.mark.parametrize(
    "distrusted",
    [
        None,
        "",
        "short",
        "x" * 65,
        "with space",
        "with\r\nheader: x",
        "0001" * 8 + "\n",
        "<script>",
        "über-uns",
    ],
)
def test_a_correlation_that_is_not_a_plain_word_is_replaced(distrusted: str | None) -> None:
    """It goes into logs and headers."""
    trace = new_trace(None, distrusted)
    assert trace.correlation_id != distrusted
    assert new_trace(None, trace.correlation_id).correlation_id == trace.correlation_id


def test_calls_to_others_carry_the_span_that_they_are_part_of() -> None:
    with tracing(new_trace(f"00-{TRACE}-{SPAN}-01", "0001" * 8)) as trace:
        sent = outgoing_headers()
    assert sent == {"traceparent": trace.traceparent, "x-correlation-id": "0001" * 8}
    there = new_trace(sent["traceparent"], sent["x-correlation-id"])
    assert (there.trace_id, there.correlation_id) == (TRACE, "0001" * 8)
    assert span_of(sent["traceparent"]) == trace.span_id != there.span_id


def test_a_call_outside_of_any_trace_names_none() -> None:
    assert outgoing_headers() == {}


@pytest.mark.parametrize("malformed", [None, "", "nonsense", f"00-{TRACE}-{'0' * 16}-01"])
def test_a_malformed_traceparent_names_no_span(malformed: str | None) -> None:
    assert span_of(malformed) is None


def test_after_the_work_the_trace_before_it_is_back() -> None:
    outer, inner = new_trace(), new_trace()
    with tracing(outer):
        with pytest.raises(ValueError, match="failed"):
            fail_within(inner)
        assert current_trace() == outer


def fail_within(trace: Trace) -> None:
    with tracing(trace):
        assert current_trace() == trace
        raise ValueError("failed")


async def test_tasks_side_by_side_do_not_mix_their_traces() -> None:
    async def work(trace: Trace) -> Trace:
        with tracing(trace):
            await asyncio.sleep(0)
            return current_trace()

    traces = [new_trace() for _ in range(5)]
    assert await asyncio.gather(*map(work, traces)) == traces


async def test_where_there_is_no_trace_each_asks_for_one_of_its_own() -> None:
    """Otherwise everything that a process does outside of requests would seem to belong together."""
    first, second = current_trace(), current_trace()
    assert first.trace_id != second.trace_id
    assert first.correlation_id != second.correlation_id
    assert trace_at_hand() is None

    async def background() -> Trace | None:
        current_trace()
        return trace_at_hand()

    assert await asyncio.create_task(background()) is None
    with tracing(first):
        assert trace_at_hand() == current_trace() == first

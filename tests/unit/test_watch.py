"""The watch over the suite sees what it is there for."""

from uuid import UUID

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from services.auth.domain.events import LinkId
from services.auth.domain.link_token import link_token
from services.auth.totp import new_secret
from services.manage_ects.domain.names import trn
from shared.contracts.roles import Role
from shared.spans import Kind, span
from shared.tracing import new_trace
from tests.security.canaries import Finding, of_traces
from tests.tokens import TestIssuer
from tests.watch import ALIKE, OVERHEARD, said_by


def _report(said: str) -> pytest.TestReport:
    return pytest.TestReport(
        "a test",
        ("a file", 1, "a test"),
        {},
        "passed",
        None,
        "call",
        sections=[("Captured stderr call", said)],
    )


def seen_in(said: str) -> set[str]:
    return {finding.canary for finding in said_by(_report(said))}


@pytest.mark.parametrize("address", ["d.whitfield" + "@" + "example.org", "o'neil+1" + "@" + "x.example"])
def test_an_address_in_a_log_is_seen(address: str) -> None:
    assert seen_in(f"email_sent to={address}, and more") == {address}


@pytest.mark.parametrize(
    "name",
    [
        "Marcus " + "Bell",
        "dana." + "whitfield",
        "q=whitfield" + "+dana",
        "Zo\\u00eb " + "O\\u2019Connor",
        "zoe o" + "'connor",
        "Hui-Min" + " van der Berg",
        "Jos%C3%A9" + "%20N%C3%BA%C3%B1ez",
        "Nguyễn " + "Thị",
    ],
)
def test_a_name_in_a_log_is_seen_however_it_is_written(name: str) -> None:
    """Of the demo, of Manage ECTs, or of a test; here in pieces, since each name in a test is made up."""
    assert len(seen_in(f'{{"event": "row_written", "what": "{name}, and more"}}')) == 1


def test_a_trn_in_a_log_is_seen() -> None:
    assert seen_in(f"trn={trn(899)}, {trn(1)}") == {trn(899), trn(1)}


def test_a_token_in_a_log_is_seen() -> None:
    link = link_token(LinkId(UUID(int=7)), b"k" * 32)
    internal = TestIssuer("participants").person(UUID(int=1), Role.SUPPORT, None)
    session = "Xk3" + "abc-_Z" * 6 + "QRST"
    for token in (link, internal, session, new_secret()):
        assert ALIKE.tokens_in(f"GET /sign-in/link/{token} 200") == {token}


def test_ids_digests_and_versions_are_none() -> None:
    said = f"trace_id={'ab' * 16} digest={'f' * 64} release=1.2.3 session={UUID(int=3)} a@b 1234567890"
    assert said_by(_report(said)) == []


def test_a_span_that_tells_of_somebody_is_seen() -> None:
    """By the very watch of the suite, which it fails here on purpose."""
    with span("GET /people", Kind.SERVER, new_trace(), None) as step:
        step.attributes["who"] = "Marcus " + "Bell"
    assert OVERHEARD.findings() == [Finding("a span", "marcus " + "bell")]
    assert OVERHEARD.findings() == []


async def test_an_answer_that_says_no_and_tells_of_somebody_is_seen_and_a_form_is_not() -> None:
    typed = "Marcus " + "Bell"

    async def answer(request: httpx.Request) -> httpx.Response:
        page = f'<div class="govuk-error-summary"></div><input value="{typed}">'
        return httpx.Response(400, text=page if request.url.path == "/form" else f"no {typed} here")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        await http.get("/form")
        assert OVERHEARD.findings() == []
        await http.get("/people")
    assert OVERHEARD.findings() == [Finding("an answer that says no", "marcus " + "bell")]


def test_what_a_collector_got_is_looked_at() -> None:
    attribute = KeyValue(key="search", value=AnyValue(string_value="Marcus " + "Bell"))
    told = Span(name="GET /participants", attributes=[attribute])
    scope = ScopeSpans(spans=[told])
    body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])]).SerializeToString()
    assert of_traces([body], ALIKE) == [Finding("a span", "marcus " + "bell")]

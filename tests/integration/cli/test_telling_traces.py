"""A service as it runs sends its spans to a collector by OTLP, the last of them when it is stopped."""

import asyncio
import signal
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.cli import processes
from shared.database.engine import create_engine
from tests.collector import collector
from tests.conftest import NewDatabase
from tests.integration.auth.running import EMAIL
from tests.integration.cli.test_stopping import environment, let_in, serving
from tests.notify import running_notify

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_spans_reach_a_collector_without_anything_personal(
    new_database: NewDatabase, told: dict[str, str], tmp_path: Path
) -> None:
    database = await new_database("auth")
    engine = create_engine(database.service_url)
    await let_in(engine)
    await engine.dispose()
    with collector() as (url, got), running_notify() as notify:
        told = {**environment(told, database, notify), "CHECK_DATA_TRACES_TO": url}
        async with serving(told, tmp_path) as (child, http):
            headers = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}
            assert (await http.post("/links", json={"email": EMAIL}, headers=headers)).status_code == 202
            async with asyncio.timeout(30):
                while not notify.sent:
                    await asyncio.sleep(0.05)
            child.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.process.wait, processes.STOP_SECONDS) == 0
    names = []
    for body in got:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                names += [span.name for span in scope.spans if span.trace_id.hex() == TRACE_ID]
    assert {"POST /links", "append", "do send_link", "do email_link"} <= set(names)
    (token,) = {
        email["personalisation"]["body"].split("/sign-in/link/")[1].split()[0] for email in notify.sent
    }
    for personal in (EMAIL, "Dana", "Whitfield", token):
        assert not any(personal.encode() in body for body in got), personal

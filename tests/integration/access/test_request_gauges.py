"""Requests by state and age, as Prometheus is told of them."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.access.request_gauges import measure_requests
from tests.integration.access.office import Cast, Office, created, ok

DAY = 86_400.0


def number(state: str, age: str) -> float | None:
    return REGISTRY.get_sample_value("checkdata_access_requests", {"state": state, "age": age})


def oldest(state: str) -> float | None:
    return REGISTRY.get_sample_value("checkdata_access_oldest_request_seconds", {"state": state})


async def test_requests_are_told_by_state_and_by_how_long_they_are_in_it(office: Office, cast: Cast) -> None:
    first = created(await office.submit(cast.user))["request_id"]
    now = office.clock()
    await measure_requests(office.engine, now)
    assert number("submitted", "day") == 1
    assert number("policy_check", "day") == 0
    await measure_requests(office.engine, now + timedelta(days=6))
    assert (number("submitted", "day"), number("submitted", "week")) == (0, 1)
    assert oldest("submitted") == pytest.approx(6 * DAY, abs=60)

    ok(await office.decide("triage", first, cast.support))
    created(await office.submit(cast.user, "Grace Adeyemi"))
    await measure_requests(office.engine, now + timedelta(days=40))
    assert (number("submitted", "longer"), number("policy_check", "longer")) == (1, 1)
    assert oldest("policy_check") == pytest.approx(40 * DAY, abs=60)
    ok(await office.post(f"/requests/{first}/withdraw", cast.user, reason="Left again."))
    await measure_requests(office.engine, now)
    assert (number("policy_check", "day"), oldest("policy_check")) == (0, 0)
    assert number("withdrawn", "day") == 1

"""The table of permissions, cell by cell: each role knocks at each door."""

import re
from uuid import uuid4

from fastapi.routing import APIRoute

from services.access.api import ROUTERS
from services.access.api.doors import Door
from services.access.permissions import PERMISSIONS, Action
from shared.contracts.roles import Role
from tests.integration.access.office import BODY, PARTNER, PROVIDER, Office, Session

ORGANISATIONS = {
    Role.DELIVERY_PARTNER: PARTNER,
    Role.APPROPRIATE_BODY: BODY,
    Role.LEAD_PROVIDER: PROVIDER,
}
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def doors_of(route: APIRoute) -> list[Door]:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [call for call in calls if isinstance(call, Door)]


def test_every_route_has_one_door_and_every_action_a_route() -> None:
    assert [len(doors_of(route)) for route in ROUTES] == [1] * len(ROUTES)
    assert {doors_of(route)[0].action for route in ROUTES} == set(Action) == set(PERMISSIONS)


async def test_each_door_lets_in_the_roles_of_the_table_and_nobody_else(office: Office) -> None:
    wrong = []
    for route in ROUTES:
        path = re.sub(r"{[a-z_]+}", str(uuid4()), route.path)
        method = next(iter(route.methods or ()))
        for role in Role:
            by = Session(uuid4(), role, ORGANISATIONS.get(role))
            # Without a body: past the door it is not understood, and does nothing.
            call = office.get if method == "GET" else office.post
            answer = await call(path, by)
            refused = answer.status_code == 403
            if refused == (role in PERMISSIONS[doors_of(route)[0].action].roles):
                wrong.append((method, route.path, role.value, answer.status_code))
    assert wrong == []

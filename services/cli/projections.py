"""The projections of each service, for commands that apply events as the service itself would."""

from services.access.audit import PUBLISHERS, Recorder
from services.access.consumers import Organisations
from services.auth.consumers import AccessFollower
from services.participants.consumers import ManageEcts
from shared.bus.applying import Projection
from shared.clock import system_clock


def projections_of(service: str) -> list[Projection]:
    match service:
        case "auth":
            return [AccessFollower(system_clock)]
        case "access":
            return [Organisations(system_clock), *(Recorder(publisher) for publisher in PUBLISHERS)]
        case "participants":
            # Its processes are told by the bell that somebody is due; here nobody waits.
            return [ManageEcts(lambda: None)]
        case _:
            return []

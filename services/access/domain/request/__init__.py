"""An access request: submitted → triage → policy check → lead provider → granted.

At each step it may be declined; support and policy may send it back for information; until it is closed the
side that asked may withdraw it, and it expires when it waits too long. Two rules hold
for every decision: it is taken in the right role, and by somebody who has no other part in the request
(four eyes). Access for an appropriate body rests on no agreement: its policy check is the last decision.
"""

from services.access.domain.request.decider import (
    ByHand,
    Command,
    ConfirmUser,
    Decline,
    Expire,
    GiveInformation,
    PassPolicyCheck,
    PassTriage,
    Remind,
    ReturnForInformation,
    SubmitRequest,
    Withdraw,
    decide,
    evolve,
)
from services.access.domain.request.state import AccessRequest, RequestState

__all__ = [
    "AccessRequest",
    "ByHand",
    "Command",
    "ConfirmUser",
    "Decline",
    "Expire",
    "GiveInformation",
    "PassPolicyCheck",
    "PassTriage",
    "Remind",
    "RequestState",
    "ReturnForInformation",
    "SubmitRequest",
    "Withdraw",
    "decide",
    "evolve",
]

"""Refusals of the domain → problem documents, in this one place."""

from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.access.domain import refusals
from services.access.domain.refusals import Refused
from shared.event_store import ConcurrentAppend
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Answer:
    """field: of the form, when the refusal is about one."""

    status: int
    code: str
    field: str | None = None


ANSWERS: Final[dict[type[Refused], Answer]] = {
    refusals.NothingThere: Answer(404, "not-found"),
    refusals.NotYourStep: Answer(403, "not-your-step"),
    refusals.FourEyes: Answer(409, "four-eyes"),
    refusals.NotAwaitingThisStep: Answer(409, "not-awaiting-this-step"),
    refusals.NotRequestable: Answer(422, "not-requestable", "role"),
    refusals.NotYourOrganisation: Answer(403, "not-your-organisation"),
    refusals.AlreadyRequested: Answer(409, "already-requested"),
    refusals.AlreadyGranted: Answer(409, "already-granted"),
    refusals.Suspended: Answer(409, "suspended"),
    refusals.NotSuspended: Answer(409, "not-suspended"),
    refusals.NotCovered: Answer(409, "not-covered"),
    refusals.NotInReview: Answer(409, "not-in-review"),
    refusals.NothingToReview: Answer(409, "nothing-to-review"),
    refusals.TooSoon: Answer(422, "too-soon", "answer_by"),
    refusals.LeadProviderNeeded: Answer(422, "lead-provider-needed", "lead_provider_id"),
    refusals.DeclineKindNeeded: Answer(422, "decline-reason-needed", "decline_kind"),
    refusals.NotReturnable: Answer(422, "not-returnable", "decision"),
    refusals.NoContacts: Answer(409, "no-contacts"),
    refusals.NoLongerCovered: Answer(409, "no-longer-covered"),
    refusals.UnknownOrganisation: Answer(422, "unknown-organisation", "organisation_id"),
    refusals.WrongKind: Answer(422, "wrong-kind-of-organisation", "organisation_id"),
    refusals.DatesReversed: Answer(422, "dates-reversed", "ends_on"),
    refusals.OutsideTheTerm: Answer(422, "outside-the-term", "ended_early_on"),
    refusals.AlreadyRecorded: Answer(409, "already-recorded"),
    refusals.AlreadyEnded: Answer(409, "already-ended"),
    refusals.MalformedEmail: Answer(422, "not-understood", "email"),
    refusals.MalformedName: Answer(422, "not-understood", "full_name"),
    refusals.NotUnderstood: Answer(422, "not-understood", "csv"),
    refusals.OnlyAdministrators: Answer(403, "not-your-role"),
    refusals.NotAStaffRole: Answer(422, "not-a-staff-role", "role"),
}


def problem_of(refused: Refused) -> Problem:
    answer = ANSWERS[type(refused)]
    errors = [{"field": answer.field, "message": str(refused)}] if answer.field else []
    return Problem(answer.status, answer.code, str(refused), errors)


def answer_refusals(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def _refused(_request: Request, refused: Refused) -> JSONResponse:
        return problem_of(refused).response()

    @app.exception_handler(ConcurrentAppend)
    async def _busy(_request: Request, _error: ConcurrentAppend) -> JSONResponse:
        return Problem(
            409, "changed-meanwhile", "Others are changing this right now. Load the page again."
        ).response()

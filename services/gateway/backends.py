"""What the gateway asks of each service, by name. Bodies: shared/contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request
from pydantic import TypeAdapter

from services.gateway.backend import Backend, FileAnswer, Parameters
from shared.contracts import access, auth, export, participants
from shared.contracts.body import Body
from shared.contracts.emails import UndeliveredEmail
from shared.contracts.manage_ects import OrganisationKind

LINK_LIFETIME: Final = TypeAdapter(auth.LinkLifetime)
ASKING_LINK: Final = TypeAdapter(auth.AskingLink)
SESSION_OPENED: Final = TypeAdapter(auth.SessionOpened)
SESSION_CHOICES: Final = TypeAdapter(auth.SessionChoices)
SESSION_IN_FORCE: Final = TypeAdapter(auth.SessionInForce)
SECOND_FACTOR_STEP: Final = TypeAdapter(auth.SecondFactorStep)
SESSIONS_OF_SOMEBODY: Final = TypeAdapter(auth.SessionsOfSomebody)
SECOND_FACTOR_STATE: Final = TypeAdapter(auth.SecondFactorState)
OWN_SESSIONS: Final = TypeAdapter(list[auth.OwnSession])
PARTICIPANT_PAGE: Final = TypeAdapter(participants.ParticipantPage)
PARTICIPANT_DETAIL: Final = TypeAdapter(participants.ParticipantDetail)
PARTICIPANT_SUMMARY: Final = TypeAdapter(participants.ParticipantSummary)
EXPORT: Final = TypeAdapter(export.Export)
EXPORTS: Final = TypeAdapter(list[export.Export])
EXPORT_LIMITS: Final = TypeAdapter(export.ExportLimits)
ORGANISATIONS: Final = TypeAdapter(list[access.Organisation])
REQUEST: Final = TypeAdapter(access.AccessRequest)
REQUESTS: Final = TypeAdapter(list[access.AccessRequest])
REQUEST_PAGE: Final = TypeAdapter(access.RequestPage)
AGREEMENT: Final = TypeAdapter(access.Agreement)
AGREEMENTS: Final = TypeAdapter(list[access.Agreement])
PERSON: Final = TypeAdapter(access.Person)
WHY_ACCESS: Final = TypeAdapter(access.WhyAccess)
REVIEW: Final = TypeAdapter(access.Review)
REVIEWS: Final = TypeAdapter(list[access.Review])
REVIEW_ITEMS: Final = TypeAdapter(list[access.ReviewItem])
OUTCOMES: Final = TypeAdapter(list[access.Outcome])
IMPORT_LINES: Final = TypeAdapter(list[access.ImportLine])
CHANGES: Final = TypeAdapter(list[access.AgreementChange])
PEOPLE: Final = TypeAdapter(list[access.Person])
COLLEAGUES: Final = TypeAdapter(list[access.Colleague])
PERSON_PAGE: Final = TypeAdapter(access.PersonPage)
UNDELIVERED_EMAILS: Final = TypeAdapter(list[UndeliveredEmail])
AUDIT_PAGE: Final = TypeAdapter(access.AuditPage)


@dataclass(frozen=True, slots=True)
class Backends:
    """The services behind this door. What a person asks of one goes with the person's token for it."""

    auth: "Auth"
    access: Backend
    participants: Backend
    export: Backend


@dataclass(frozen=True, slots=True)
class Auth:
    """Called by the gateway for itself: the session says who the person is."""

    backend: Backend

    async def ask_for_link(
        self, email: str, return_to: str | None, network: str | None, device: str | None
    ) -> auth.LinkLifetime:
        """Raises Refusal 429 for who asks too often."""
        body = auth.AskForLink(email=email, return_to=return_to, network=network, device=device)
        return await self.backend.post("/links", body, LINK_LIFETIME)

    async def ask_for_access(self, email: str, network: str | None, device: str | None) -> None:
        """Somebody wants to ask for access. Raises Refusal 429 for who asks too often."""
        await self.backend.tell(
            "/asking-links", auth.AskForAccess(email=email, network=network, device=device)
        )

    async def asking_link(self, token: str) -> str:
        """The address to which such a link was sent. Raises Refusal 410 when it cannot be used (again)."""
        body = auth.AskingToken(token=token)
        return (await self.backend.post("/asking-links/read", body, ASKING_LINK, repeatable=True)).email

    async def use_asking_link(self, token: str) -> None:
        await self.backend.tell("/asking-links/use", auth.AskingToken(token=token))

    async def redeem(self, token: str, device: str | None, browser: str | None) -> auth.SessionOpened:
        """Raises Refusal 410 when the link cannot be used (again)."""
        body = auth.RedeemLink(token=token, device=device, browser=browser)
        return await self.backend.post("/links/redeem", body, SESSION_OPENED)

    async def choices(self, session: str) -> auth.SessionChoices:
        """Raises Refusal 401 when the session is over."""
        body = auth.SessionRef(session=session)
        return await self.backend.post("/sessions/choices", body, SESSION_CHOICES, repeatable=True)

    async def choose(self, session: str, grant_id: UUID) -> auth.SessionOpened:
        """Raises Refusal 401 when the session is over, 403 when the grant is not held."""
        body = auth.ChooseRole(session=session, grant_id=grant_id)
        return await self.backend.post("/sessions/role", body, SESSION_OPENED)

    async def exchange(self, session: str, audiences: list[str]) -> auth.SessionInForce:
        """Raises Refusal 401 when the session is over."""
        body = auth.ExchangeSession(session=session, audiences=audiences)
        return await self.backend.post("/sessions/exchange", body, SESSION_IN_FORCE, repeatable=True)

    async def second_factor(self, session: str) -> auth.SecondFactorStep:
        """What the session has to do. Raises Refusal 401 when it is over."""
        body = auth.SessionRef(session=session)
        return await self.backend.post("/second-factor", body, SECOND_FACTOR_STEP, repeatable=True)

    async def check_code(self, session: str, code: str) -> auth.SessionOpened:
        """Raises Refusal 403 when the code is not right, 429 after too many, 401 when the session is over."""
        body = auth.SecondFactorCode(session=session, code=code)
        return await self.backend.post("/second-factor/check", body, SESSION_OPENED)

    async def second_factor_of(self, person_id: UUID, token: str) -> auth.SecondFactorState:
        """token: of an administrator."""
        return await self.backend.get(f"/second-factor/{person_id}", SECOND_FACTOR_STATE, token)

    async def reset_second_factor(self, person_id: UUID, token: str) -> None:
        """token: of an administrator. Raises Refusal 403 for their own, 409 when there is none."""
        await self.backend.tell(f"/second-factor/{person_id}/reset", None, token)

    async def sessions_of(self, person_id: UUID, token: str) -> auth.SessionsOfSomebody:
        """token: of support or an administrator."""
        return await self.backend.get(f"/people/{person_id}/sessions", SESSIONS_OF_SOMEBODY, token)

    async def sign_out(self, person_id: UUID, token: str) -> None:
        """token: as above. Raises Refusal 403 (staff, for support), 409 (no session)."""
        await self.backend.tell(f"/people/{person_id}/sessions/end", None, token)

    async def own_sessions(self, session: str) -> list[auth.OwnSession]:
        """Raises Refusal 401 when the session is over."""
        body = auth.SessionRef(session=session)
        return await self.backend.post("/sessions/own", body, OWN_SESSIONS, repeatable=True)

    async def end_own(self, session: str, session_id: UUID | None) -> None:
        """One of the person's sessions; all of them when none is named."""
        await self.backend.tell(
            "/sessions/own/end", auth.EndOwnSession(session=session, session_id=session_id)
        )

    async def undelivered_emails(self, token: str) -> list[UndeliveredEmail]:
        """token: the person's own. Raises Refusal 403 for roles that do not help people in."""
        return await self.backend.get("/emails/undelivered", UNDELIVERED_EMAILS, token)

    async def end(self, session: str) -> None:
        await self.backend.tell("/sessions/end", auth.SessionRef(session=session))


@dataclass(frozen=True, slots=True)
class Applicants:
    """Access, called by the gateway for itself: for people who have none yet."""

    backend: Backend

    async def organisations(self) -> list[access.Organisation]:
        return await self.backend.get("/requests/own/organisations", ORGANISATIONS)

    async def ask(self, body: access.AskForOneself) -> None:
        """Raises Refusal 409 when the same is open or held already."""
        await self.backend.tell("/requests/own", body)


@dataclass(frozen=True, slots=True)
class Participants:
    backend: Backend
    token: str

    async def page(self, parameters: Parameters) -> participants.ParticipantPage:
        """Raises Refusal 422 for parameters that are not understood, 404 past the last page."""
        return await self.backend.get("/participants", PARTICIPANT_PAGE, self.token, parameters)

    async def summary(self) -> participants.ParticipantSummary:
        return await self.backend.get("/participants/summary", PARTICIPANT_SUMMARY, self.token)

    async def one(self, participant_id: UUID) -> participants.ParticipantDetail:
        return await self.backend.get(f"/participants/{participant_id}", PARTICIPANT_DETAIL, self.token)


@dataclass(frozen=True, slots=True)
class Exports:
    backend: Backend
    token: str

    async def ask(self, body: export.AskForExport) -> export.Export:
        return await self.backend.post("/exports", body, EXPORT, self.token, repeatable=True)

    async def all(self) -> list[export.Export]:
        return await self.backend.get("/exports", EXPORTS, self.token)

    async def limits(self) -> export.ExportLimits:
        return await self.backend.get("/exports/limits", EXPORT_LIMITS, self.token)

    async def one(self, export_id: UUID) -> export.Export:
        return await self.backend.get(f"/exports/{export_id}", EXPORT, self.token)

    async def cancel(self, export_id: UUID) -> export.Export:
        path = f"/exports/{export_id}/cancel"
        return await self.backend.post(path, Body(), EXPORT, self.token, repeatable=True)

    async def file(self, export_id: UUID, headers: Mapping[str, str]) -> FileAnswer:
        return await self.backend.file(f"/exports/{export_id}/file", self.token, headers)


@dataclass(frozen=True, slots=True)
class Access:
    backend: Backend
    token: str

    async def organisations(self, kind: OrganisationKind) -> list[access.Organisation]:
        return await self.backend.get("/organisations", ORGANISATIONS, self.token, [("kind", kind.value)])

    async def requests(self, state: access.RequestState | None, page: int, q: str = "") -> access.RequestPage:
        parameters = [("page", str(page))] + ([("state", state.value)] if state else [])
        if q:
            parameters.append(("q", q))
        return await self.backend.get("/requests", REQUEST_PAGE, self.token, parameters)

    async def request(self, request_id: UUID) -> access.AccessRequest:
        return await self.backend.get(f"/requests/{request_id}", REQUEST, self.token)

    async def confirmations(self) -> list[access.AccessRequest]:
        return await self.backend.get("/confirmations", REQUESTS, self.token)

    async def submit(self, body: access.SubmitRequest) -> access.AccessRequest:
        return await self.backend.post("/requests", body, REQUEST, self.token)

    async def decide(self, request_id: UUID, step: str, body: access.Decide) -> access.AccessRequest:
        """step: `triage`, `policy-check` or `confirmation`."""
        return await self.backend.post(f"/requests/{request_id}/{step}", body, REQUEST, self.token)

    async def decide_several(self, path: str, body: access.DecideSeveral) -> list[access.Outcome]:
        """path: `/requests/triage` or `/confirmations`."""
        return await self.backend.post(path, body, OUTCOMES, self.token)

    async def inform(self, request_id: UUID, information: str) -> access.AccessRequest:
        body = access.GiveInformation(information=information)
        return await self.backend.post(f"/requests/{request_id}/information", body, REQUEST, self.token)

    async def withdraw(self, request_id: UUID, reason: str) -> access.AccessRequest:
        body = access.Withdraw(reason=reason)
        return await self.backend.post(f"/requests/{request_id}/withdraw", body, REQUEST, self.token)

    async def agreements(self) -> list[access.Agreement]:
        return await self.backend.get("/agreements", AGREEMENTS, self.token)

    async def record_agreement(self, body: access.RecordAgreement) -> access.Agreement:
        return await self.backend.post("/agreements", body, AGREEMENT, self.token)

    async def import_agreements(self, body: access.ImportAgreements) -> list[access.ImportLine]:
        return await self.backend.post("/agreements/import", body, IMPORT_LINES, self.token)

    async def import_users(self, body: access.ImportUsers) -> list[access.ImportLine]:
        return await self.backend.post("/requests/import", body, IMPORT_LINES, self.token)

    async def agreement_changes(self, agreement_id: UUID) -> list[access.AgreementChange]:
        return await self.backend.get(f"/agreements/{agreement_id}/changes", CHANGES, self.token)

    async def end_agreement(self, agreement_id: UUID, body: access.EndAgreement) -> access.Agreement:
        return await self.backend.post(f"/agreements/{agreement_id}/end", body, AGREEMENT, self.token)

    async def people(self, q: str, page: int) -> access.PersonPage:
        return await self.backend.get("/people", PERSON_PAGE, self.token, [("q", q), ("page", str(page))])

    async def person(self, person_id: UUID) -> access.Person:
        return await self.backend.get(f"/people/{person_id}", PERSON, self.token)

    async def why(self, person_id: UUID) -> access.WhyAccess:
        return await self.backend.get(f"/people/{person_id}/why", WHY_ACCESS, self.token)

    async def revoke(self, grant_id: UUID, reason: str) -> access.Person:
        body = access.RevokeGrant(reason=reason)
        return await self.backend.post(f"/grants/{grant_id}/revoke", body, PERSON, self.token)

    async def restore(self, grant_id: UUID, reason: str) -> access.Person:
        body = access.RestoreGrant(reason=reason)
        return await self.backend.post(f"/grants/{grant_id}/restore", body, PERSON, self.token)

    async def suspended(self) -> list[access.Person]:
        return await self.backend.get("/grants/suspended", PEOPLE, self.token)

    async def colleagues(self) -> list[access.Colleague]:
        return await self.backend.get("/colleagues", COLLEAGUES, self.token)

    async def left(self, grant_id: UUID, reason: str) -> list[access.Colleague]:
        body = access.ColleagueLeft(reason=reason)
        return await self.backend.post(f"/colleagues/{grant_id}/left", body, COLLEAGUES, self.token)

    async def reviews(self) -> list[access.Review]:
        return await self.backend.get("/reviews", REVIEWS, self.token)

    async def open_review(self, body: access.OpenReview) -> access.Review:
        return await self.backend.post("/reviews", body, REVIEW, self.token)

    async def my_reviews(self) -> list[access.ReviewItem]:
        return await self.backend.get("/reviews/mine", REVIEW_ITEMS, self.token)

    async def answer_review(self, grant_id: UUID, body: access.AnswerReview) -> list[access.ReviewItem]:
        return await self.backend.post(f"/reviews/grants/{grant_id}", body, REVIEW_ITEMS, self.token)

    async def add_contact(self, body: access.AddContact) -> access.Person:
        return await self.backend.post("/lead-provider-contacts", body, PERSON, self.token)

    async def undelivered_emails(self) -> list[UndeliveredEmail]:
        return await self.backend.get("/emails/undelivered", UNDELIVERED_EMAILS, self.token)

    async def audit(self, parameters: Parameters) -> access.AuditPage:
        """parameters: of person_id, participant_id, kind, page."""
        return await self.backend.get("/audit", AUDIT_PAGE, self.token, parameters)


def backends_of(request: Request) -> Backends:
    backends: Backends = request.app.state.backends
    return backends

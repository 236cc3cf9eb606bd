"""Own events as they are stored, and what others are told of them."""

from typing import Final

from services.access.domain.events import (
    AgreementEndedEarly,
    AgreementLapsed,
    AgreementRecorded,
    ByPerson,
    Event,
    GrantEnded,
    GrantGiven,
    GrantRestored,
    GrantSuspended,
    InformationGiven,
    LeadProviderAsked,
    NamedInRequest,
    OrganisationNamed,
    PersonDetailsChanged,
    PersonErased,
    PersonRegistered,
    PolicyCheckPassed,
    RequestDeclined,
    RequestExpired,
    RequestGranted,
    RequestReminded,
    RequestReturned,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewAsked,
    ReviewCampaignOpened,
    ReviewConfirmed,
    Step,
    TriagePassed,
    UserConfirmed,
)
from shared.bus.publication import Publication
from shared.contracts import access as told
from shared.contracts.envelope import PublishedEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role
from shared.event_store import Codec, by_class_name

CODEC: Codec[Event] = Codec(
    by_class_name(
        PersonRegistered,
        PersonDetailsChanged,
        NamedInRequest,
        PersonErased,
        OrganisationNamed,
        RequestSubmitted,
        TriagePassed,
        PolicyCheckPassed,
        LeadProviderAsked,
        UserConfirmed,
        RequestGranted,
        RequestDeclined,
        RequestWithdrawn,
        RequestReturned,
        InformationGiven,
        RequestReminded,
        RequestExpired,
        AgreementRecorded,
        AgreementEndedEarly,
        AgreementLapsed,
        GrantGiven,
        GrantEnded,
        GrantSuspended,
        GrantRestored,
        ReviewCampaignOpened,
        ReviewAsked,
        ReviewConfirmed,
    )
)

DECLINED: Final = {
    Step.TRIAGE: "declined_at_triage",
    Step.POLICY_CHECK: "declined_at_policy_check",
    Step.CONFIRMATION: "refused_by_lead_provider",
}


OF_ITSELF: Final[dict[type[Event], str]] = {
    RequestGranted: "granted",
    RequestReminded: "reminded",
    RequestExpired: "expired",
}


def publish(event: Event) -> PublishedEvent | None:
    match event:
        case PersonRegistered(person_id, full_name, email) | PersonDetailsChanged(
            person_id, full_name, email
        ):
            return told.PersonRegistered(person_id=person_id, full_name=full_name, email=email)
        case PersonErased(person_id):
            return told.PersonErased(person_id=person_id)
        case OrganisationNamed(organisation_id, kind, name):
            return told.OrganisationNamed(
                kind=OrganisationKind(kind), organisation_id=organisation_id, name=name
            )
        case GrantGiven():
            return told.GrantGiven(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
                request_id=event.request_id,
                given_by=event.by,
                review_on=event.review_on,
            )
        case GrantEnded():
            # What staff wrote stays here: it may be about the person.
            return told.GrantEnded(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
                ended_by=event.by,
                reason=event.reason.value,
            )
        case GrantSuspended():
            return told.GrantSuspended(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
                reason=event.reason.value,
            )
        case GrantRestored():
            return told.GrantRestored(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
                restored_by=event.by,
                review_on=event.review_on,
            )
        case ReviewConfirmed():
            return told.GrantReviewed(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
                reviewed_by=event.by,
                review_on=event.review_on,
            )
        case ReviewCampaignOpened():
            return told.ReviewOpened(
                campaign_id=event.campaign_id,
                due_until=event.due_until,
                answer_by=event.answer_by,
                by=event.by,
            )
        case LeadProviderAsked():
            return told.ConfirmationRequested(
                request_id=event.request_id,
                lead_provider_id=event.lead_provider_id,
                contacts=list(event.contacts),
            )
        case AgreementRecorded() | AgreementEndedEarly():
            return _agreement(event)
        case AgreementLapsed() | NamedInRequest() | ReviewAsked():
            return None
        case RequestGranted() | RequestReminded() | RequestExpired():
            step = OF_ITSELF[type(event)]
            return told.RequestProgressed(
                request_id=event.request_id, person_id=event.person_id, step=step, by=None
            )
        case _:
            return told.RequestProgressed(
                request_id=event.request_id, person_id=event.person_id, step=step_of(event), by=event.by
            )


def _agreement(event: AgreementRecorded | AgreementEndedEarly) -> told.AgreementChanged:
    return told.AgreementChanged(
        agreement_id=event.agreement_id,
        delivery_partner_id=event.terms.delivery_partner_id,
        lead_provider_id=event.terms.lead_provider_id,
        starts_on=event.terms.starts_on,
        ends_on=event.terms.ends_on,
        ended_early_on=event.ended_early_on if isinstance(event, AgreementEndedEarly) else None,
        reference=event.terms.reference,
        by=event.by,
    )


def step_of(event: ByPerson) -> str:
    """The word for a person's step on a request, as others are told it."""
    match event:
        case RequestSubmitted():
            return "submitted"
        case TriagePassed():
            return "triage_passed"
        case PolicyCheckPassed(against_advice=True):
            return "policy_check_passed_against_advice"
        case PolicyCheckPassed():
            return "policy_check_passed"
        case UserConfirmed():
            return "confirmed_by_lead_provider"
        case RequestDeclined(step=step, against_advice=against_advice):
            return f"{DECLINED[step]}_against_advice" if against_advice else DECLINED[step]
        case RequestReturned(step=step):
            return f"returned_at_{step.value}"
        case InformationGiven():
            return "information_given"
        case RequestWithdrawn():
            return "withdrawn"
    raise ValueError(f"no word is known for {type(event).__name__}")


PUBLICATION: Publication[Event] = Publication("access", "/access", publish)

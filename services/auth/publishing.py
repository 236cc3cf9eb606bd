"""What auth tells others: who signed in, as what, until when."""

from services.auth.domain import events
from services.auth.domain.events import Event
from shared.bus.publication import Publication
from shared.contracts import auth as contract
from shared.contracts.envelope import PublishedEvent
from shared.contracts.roles import Role
from shared.event_store import Codec, by_class_name

CODEC: Codec[Event] = Codec(
    by_class_name(
        events.LinkIssued,
        events.LinkSuperseded,
        events.LinkRedeemed,
        events.SessionStarted,
        events.RoleChosen,
        events.SessionEnded,
        events.SignedOutByStaff,
        events.SessionConfirmed,
        events.SecondFactorEnrolled,
        events.SecondFactorReset,
    )
)


def publish(event: Event) -> PublishedEvent | None:
    match event:
        case events.LinkIssued():
            return contract.LinkIssued(
                link_id=event.link_id, person_id=event.person_id, expires_at=event.expires_at
            )
        case events.SessionStarted():
            return contract.SignedIn(
                session_id=event.session_id, person_id=event.person_id, link_id=event.link_id
            )
        case events.RoleChosen():
            return contract.RoleChosen(
                session_id=event.session_id,
                person_id=event.person_id,
                grant_id=event.grant_id,
                role=Role(event.role),
                organisation_id=event.organisation_id,
            )
        case events.SessionEnded():
            return contract.SessionEnded(
                session_id=event.session_id, person_id=event.person_id, reason=event.reason.value
            )
        case events.SignedOutByStaff():
            return contract.SignedOutByStaff(person_id=event.person_id, by=event.by)
        case events.SessionConfirmed():
            return contract.SecondFactorPassed(session_id=event.session_id, person_id=event.person_id)
        case events.SecondFactorEnrolled():
            return contract.SecondFactorEnrolled(person_id=event.person_id)
        case events.SecondFactorReset():
            return contract.SecondFactorReset(person_id=event.person_id, by=event.by)
        case events.LinkSuperseded() | events.LinkRedeemed():
            return None


PUBLICATION: Publication[Event] = Publication("auth", "/auth", publish)

"""Why a command is not carried out. Each says, in a sentence that names nobody, what to do next."""

from typing import ClassVar


class Refused(Exception):
    """str() of a refusal is its sentence."""

    sentence: ClassVar[str]

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class NothingThere(Refused):
    """Also said of what the caller may not see: the answer must not tell the two apart."""

    sentence = "There is nothing here that you can see."


# --- requests -------------------------------------------------------------------------------------


class NotYourStep(Refused):
    sentence = "The role of this session does not include this step. Change your role, or ask a colleague."


class FourEyes(Refused):
    sentence = (
        "You made this request, decided on it earlier, or it is about you. Ask a colleague to decide on it."
    )


class NotAwaitingThisStep(Refused):
    """Somebody else was faster, or the same form was sent twice."""


class NotRequestable(Refused):
    sentence = "Only delivery partner access and appropriate body access can be requested."


class NotYourOrganisation(Refused):
    sentence = "You can ask for access to your own organisation only, in the role of this session."


class AlreadyRequested(Refused):
    sentence = "There is an open request for this person, role and organisation. Wait for its outcome."


class AlreadyGranted(Refused):
    sentence = "This person has this access already. They can sign in."


class Suspended(Refused):
    sentence = (
        "This person's access is suspended. DfE policy can restore it: no new request is needed. "
        "Contact support."
    )


class LeadProviderNeeded(Refused):
    sentence = "Choose the lead provider that is to confirm this person."


class DeclineKindNeeded(Refused):
    sentence = "Select why you decline the request."


class NotReturnable(Refused):
    sentence = "A lead provider says yes or no: only support and policy send a request back for information."


class NoContacts(Refused):
    sentence = "Nobody is registered to answer for this lead provider. Add a contact, then decide."


class NoLongerCovered(Refused):
    sentence = (
        "The agreement that this request rests on is no longer in force. Decline the request, or ask DfE "
        "policy to record the agreement that replaces it."
    )


# --- organisations and agreements -----------------------------------------------------------------


class UnknownOrganisation(Refused):
    sentence = "This organisation is not known here. Choose one from the list."


class WrongKind(Refused):
    sentence = "This organisation is of another kind. Choose one that goes with the role."


class DatesReversed(Refused):
    sentence = "The agreement must not end before it starts. Check the two dates."


class OutsideTheTerm(Refused):
    sentence = "The date must lie within the term of the agreement. Check it against the start and end dates."


class AlreadyRecorded(Refused):
    sentence = "An agreement with this reference, start date and these two organisations is recorded already."


class AlreadyEnded(Refused):
    sentence = "This has ended already. Nothing is left to do."


# --- people and grants ----------------------------------------------------------------------------


class MalformedEmail(Refused):
    """The sentence says what is wrong with the address."""


class MalformedName(Refused):
    """The sentence says what is wrong with the name."""


class NotUnderstood(Refused):
    """The sentence says what in an imported file is not as it should be."""


class OnlyAdministrators(Refused):
    sentence = "Only an administrator can end the access of DfE staff."


class NotSuspended(Refused):
    sentence = "This access is not suspended, or no longer. Nothing is left to do."


class NotCovered(Refused):
    sentence = (
        "No agreement covers this delivery partner today. Record the agreement first, then restore "
        "the access."
    )


class NotInReview(Refused):
    sentence = "This access does not wait for a review, or no longer: somebody may have been faster."


class NothingToReview(Refused):
    sentence = "No access in force is to be reviewed until then. Choose a later date."


class TooSoon(Refused):
    sentence = "Those who are asked need time: choose a day after today."


class NotAStaffRole(Refused):
    sentence = "First staff can be given a DfE role only: support, policy, auditor or administrator."

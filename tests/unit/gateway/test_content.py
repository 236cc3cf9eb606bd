"""Closed lists of words have one for each thing that they are about."""

from services.access.audit.entry import NOT_ABOUT_PEOPLE
from services.gateway import content
from shared.contracts import access, auth, export, participants
from shared.contracts.access import LineOutcome, RequestState
from shared.contracts.emails import WhyUndelivered
from shared.contracts.export import ExportFormat, ExportState


def test_each_kind_of_entry_that_an_audit_can_hold_has_words() -> None:
    catalogues = (auth.CATALOGUE, access.CATALOGUE, participants.CATALOGUE, export.CATALOGUE)
    told = {contract.type for catalogue in catalogues for contract in catalogue}
    assert set(content.AUDIT_KINDS) == told - NOT_ABOUT_PEOPLE


def test_each_state_has_a_tag() -> None:
    assert set(content.REQUEST_STATES) == set(RequestState)
    assert set(content.EXPORT_STATES) == set(ExportState)
    assert set(content.EXPORT_FORMATS) == set(ExportFormat)
    assert set(content.IMPORT_OUTCOMES) == set(LineOutcome)
    assert set(content.WHY_UNDELIVERED) == set(WhyUndelivered)

"""The coverage check: a table of what the register may hold, and what it then says."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.access.domain.coverage import Agreement, Terms, check_coverage, not_needed
from services.access.domain.vocabulary import AgreementId, OrganisationId
from tests.unit.access.cast import OTHER_PROVIDER, PARTNER, PROVIDER, TODAY

NAMES = {PROVIDER: "Ambit Learning", OTHER_PROVIDER: "Beacon Training"}
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
LONG_AGO, LATER = date(2024, 9, 1), date(2027, 8, 31)


def agreement(
    starts_on: date,
    ends_on: date,
    ended_early_on: date | None = None,
    provider: OrganisationId = PROVIDER,
    reference: str = "DSA-1",
) -> Agreement:
    terms = Terms(PARTNER, provider, starts_on, ends_on, reference)
    return Agreement(AgreementId(uuid4()), terms, ended_early_on)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "ended_early_on", "in_force"),
    [
        (LONG_AGO, LATER, None, True),
        (TODAY, LATER, None, True),
        (LONG_AGO, TODAY, None, True),
        (TODAY, TODAY, None, True),
        (LONG_AGO, YESTERDAY, None, False),
        (TOMORROW, LATER, None, False),
        (LONG_AGO, LATER, TODAY, False),
        (LONG_AGO, LATER, YESTERDAY, False),
        (LONG_AGO, LATER, TOMORROW, True),
        (TODAY, LATER, TODAY, False),
    ],
)
def test_an_agreement_is_in_force_from_its_start_through_its_last_day(
    starts_on: date, ends_on: date, ended_early_on: date | None, in_force: bool
) -> None:
    one = agreement(starts_on, ends_on, ended_early_on)
    assert one.in_force(TODAY) is in_force
    assert check_coverage([one], NAMES, TODAY).covered is in_force


@pytest.mark.parametrize(
    ("agreements", "explanation"),
    [
        ([], "The register holds no agreement of this delivery partner."),
        (
            [agreement(LONG_AGO, LATER)],
            "Covered today by an agreement: with Ambit Learning (reference DSA-1) until 31 August 2027.",
        ),
        (
            [agreement(LONG_AGO, LATER, TOMORROW)],
            "Covered today by an agreement: with Ambit Learning (reference DSA-1) until 25 November 2026.",
        ),
        (
            [agreement(LONG_AGO, TOMORROW), agreement(TODAY, LATER, provider=OTHER_PROVIDER, reference="B")],
            "Covered today by 2 agreements: with Beacon Training (reference B) until 31 August 2027; "
            "with Ambit Learning (reference DSA-1) until 26 November 2026.",
        ),
        (
            [agreement(LONG_AGO, YESTERDAY)],
            "No agreement of this delivery partner is in force today. The last one, with Ambit Learning "
            "(reference DSA-1), ended on 24 November 2026.",
        ),
        (
            [agreement(LONG_AGO, YESTERDAY), agreement(TOMORROW, LATER, reference="DSA-2")],
            "No agreement of this delivery partner is in force today. The last one, with Ambit Learning "
            "(reference DSA-1), ended on 24 November 2026. The next one, with Ambit Learning (reference "
            "DSA-2), starts on 26 November 2026.",
        ),
        (
            [agreement(TOMORROW, LATER, TOMORROW)],
            "No agreement of this delivery partner is in force today.",
        ),
    ],
)
def test_the_check_says_what_it_found(agreements: list[Agreement], explanation: str) -> None:
    assert check_coverage(agreements, NAMES, TODAY).explanation == explanation


def test_the_check_names_the_agreements_of_each_lead_provider() -> None:
    ours, theirs = agreement(LONG_AGO, LATER), agreement(LONG_AGO, TODAY, provider=OTHER_PROVIDER)
    check = check_coverage([ours, theirs, agreement(LONG_AGO, YESTERDAY)], NAMES, TODAY)
    assert check.by(PROVIDER) == (ours.agreement_id,)
    assert check.by(OTHER_PROVIDER) == (theirs.agreement_id,)
    assert [cover.until for cover in check.covers] == [LATER, TODAY]


def test_an_appropriate_body_needs_no_agreement() -> None:
    check = not_needed(TODAY)
    assert check.covered
    assert not check.covers

"""Forms say what is wrong, at the field where it is wrong."""

from datetime import date

import pytest

from services.gateway.backend import FieldError, Refusal
from services.gateway.forms import Form


def day(day: str, month: str, year: str) -> tuple[date | None, Form]:
    form = Form({"on-day": day, "on-month": month, "on-year": year})
    return form.day("on", "Enter the date that it ends", "The date that it ends"), form


def test_a_date_is_read() -> None:
    assert day("29", "2", "2028")[0] == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("typed", "message", "link"),
    [
        (("", "", ""), "Enter the date that it ends", "#on-day"),
        (("1", "", "2026"), "The date that it ends must include a month", "#on-month"),
        (("29", "2", "2026"), "The date that it ends must be a real date, such as 27 3 2026", "#on-day"),
        (("1", "1", "26"), "The date that it ends must be a real date, such as 27 3 2026", "#on-day"),
        (("-1", "1", "2026"), "The date that it ends must be a real date, such as 27 3 2026", "#on-day"),
        (("²", "1", "2026"), "The date that it ends must be a real date, such as 27 3 2026", "#on-day"),
    ],
)
def test_a_date_that_is_none_says_why(typed: tuple[str, str, str], message: str, link: str) -> None:
    found, form = day(*typed)
    assert found is None
    assert form.summary == [{"text": message, "href": link}]


@pytest.mark.parametrize(
    "email", ["noor", "noor@example", "noor@", "@example.org", "a b@example.org", "a@b@example.org"]
)
def test_what_is_no_email_address_is_not_taken_for_one(email: str) -> None:
    form = Form({"email": email})
    form.email("email", "Enter your email address")
    assert "email" in form.errors


def test_a_refusal_is_told_at_the_field_that_it_is_about() -> None:
    form = Form()
    form.refused(
        Refusal(422, "x", "Not so.", [FieldError(field="ends_on", message="Too early.")]), ["ends_on"]
    )
    assert form.summary == [{"text": "Too early.", "href": "#ends_on"}]


def test_a_refusal_about_no_field_of_the_form_is_told_for_the_whole_form() -> None:
    form = Form()
    form.refused(
        Refusal(409, "four-eyes", "Ask a colleague.", [FieldError(field="by", message="x")]), ["reason"]
    )
    assert form.summary == [{"text": "Ask a colleague."}]

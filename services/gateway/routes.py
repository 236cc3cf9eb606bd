"""All pages, in the order in which their addresses are tried."""

from fastapi import APIRouter

from services.gateway.pages import (
    access_requests,
    ask_for_access,
    confirmations,
    exports,
    information,
    own_sessions,
    participants,
    role,
    second_factor,
    sign_in,
    staff_agreements,
    staff_audit,
    staff_emails,
    staff_people,
    staff_requests,
    staff_reviews,
    staff_sessions,
    start,
    summary,
)

PAGES: tuple[APIRouter, ...] = (
    participants.router,  # first, since most requests are for it
    start.router,
    sign_in.router,
    ask_for_access.router,
    second_factor.router,
    role.router,
    own_sessions.router,
    summary.router,
    exports.router,
    access_requests.router,
    staff_requests.router,
    staff_agreements.router,
    staff_reviews.router,
    staff_people.router,
    staff_sessions.router,
    staff_emails.router,
    staff_audit.router,
    confirmations.router,
    information.router,
)

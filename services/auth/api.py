"""Auth over HTTP. Bodies: shared/contracts/auth.py."""

from base64 import b64decode
from collections.abc import Mapping

from fastapi import APIRouter, Request

from services.auth.application import Auth, Here
from services.auth.callers import MAY_ACT_FOR_PEOPLE, MAY_CALL, proves_itself
from services.auth.domain.events import GrantId, PersonId, SessionId
from services.auth.domain.link import LinkNotUsable
from services.auth.domain.link_token import read_link_token
from services.auth.opened import Gateway, choice, choices, opened
from services.auth.own_sessions import OwnSession
from services.auth.people import held_grants
from services.auth.sessions import NotGranted, SecondFactorMissing
from shared.contracts import auth as contract
from shared.contracts.roles import Role
from shared.event_store import EventStore
from shared.web.problems import Problem

OPEN_PATHS = frozenset({"/tokens", "/.well-known/jwks.json"})
"""Answered without a token: here tokens and their keys come from."""

router = APIRouter()


@router.post("/links", status_code=202)
async def ask_for_link(body: contract.AskForLink, auth: Here, _caller: Gateway) -> contract.LinkLifetime:
    """Ask for a sign-in link by email. The same answer for every address; 429 who asks too often."""
    await auth.admit(body)
    await auth.links.ask(body.email, body.return_to)
    return contract.LinkLifetime(minutes=auth.settings.link_minutes)


@router.post("/links/redeem")
async def redeem_link(body: contract.RedeemLink, auth: Here, _caller: Gateway) -> contract.SessionOpened:
    """Use a link, once. 410 `link-not-usable` when it is used, old or false."""
    keys = [key.get_secret_value().encode() for key in auth.settings.link_keys]
    link_id = read_link_token(body.token, keys, bits=auth.settings.link_bits)
    if link_id is None:
        raise LinkNotUsable
    return opened(await auth.sessions.redeem(link_id, body.device, body.browser))


@router.post("/sessions/choices")
async def session_choices(body: contract.SessionRef, auth: Here, _caller: Gateway) -> contract.SessionChoices:
    """The roles that the person of a session can act in."""
    session = await auth.lookup.in_force(body.session)
    if session.second_factor_missing:
        raise SecondFactorMissing
    return contract.SessionChoices(choices=choices(session.grants), chosen=choice(session.chosen))


@router.post("/sessions/role")
async def choose_role(body: contract.ChooseRole, auth: Here, _caller: Gateway) -> contract.SessionOpened:
    """Act in one of these roles. The session goes on under a new value."""
    return opened(await auth.sessions.choose(body.session, GrantId(body.grant_id)))


@router.post("/sessions/end", status_code=204)
async def end_session(body: contract.SessionRef, auth: Here, _caller: Gateway) -> None:
    """Sign out."""
    await auth.sessions.end(body.session)


@router.post("/sessions/own")
async def own_sessions(body: contract.SessionRef, auth: Here, _caller: Gateway) -> list[contract.OwnSession]:
    """The sessions in force of the person whose session this is, last used first."""
    return [_own(session) for session in await auth.own_sessions.all(body.session)]


@router.post("/sessions/own/end", status_code=204)
async def end_own_session(body: contract.EndOwnSession, auth: Here, _caller: Gateway) -> None:
    """Sign out of one of one's own sessions, or everywhere."""
    session_id = SessionId(body.session_id) if body.session_id else None
    await auth.own_sessions.end(body.session, session_id)


@router.post("/sessions/exchange")
async def exchange(body: contract.ExchangeSession, auth: Here, _caller: Gateway) -> contract.SessionInForce:
    """Who the session is, and a token for each service that the page is about to call."""
    session = await auth.lookup.in_force(body.session)
    tokens = {}
    if session.chosen is not None and not session.second_factor_missing:
        for audience in body.audiences:
            _must_be_allowed(MAY_CALL, "gateway", audience)
            tokens[audience] = auth.issuer.for_person(
                session.person_id,
                session.chosen.role,
                session.chosen.organisation_id,
                audience,
                session.session_id,
            )
    return contract.SessionInForce(
        person_id=session.person_id,
        full_name=session.full_name,
        chosen=choice(session.chosen),
        several_choices=len(session.grants) > 1,
        tokens=tokens,
        idle_until=session.idle_until,
        absolute_until=session.absolute_until,
        second_factor_missing=session.second_factor_missing,
    )


@router.post("/tokens")
async def issue_token(body: contract.TokenRequest, request: Request, auth: Here) -> contract.IssuedToken:
    """A token for a service that proves itself by HTTP Basic; for itself, or to finish a person's work."""
    caller = _basic_caller(request, auth)
    person = body.on_behalf_of
    if person is None:
        _must_be_allowed(MAY_CALL, caller, body.audience)
        token = auth.issuer.for_service(caller, body.audience)
    else:
        _must_be_allowed(MAY_ACT_FOR_PEOPLE, caller, body.audience)
        await _must_be_granted(request.app.state.store, person)
        token = auth.issuer.for_person(
            PersonId(person.person_id), person.role.value, person.organisation_id, body.audience, None
        )
    return contract.IssuedToken(token=token, expires_in=int(auth.issuer.lifetime.total_seconds()))


@router.get("/.well-known/jwks.json")
async def published_keys(auth: Here) -> dict[str, list[dict[str, str]]]:
    """The keys that prove tokens."""
    return auth.keys.published()


def _basic_caller(request: Request, auth: Auth) -> str:
    """The service by its secret. Source: RFC 7617."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor text
        name = secret = ""
    if scheme.lower() != "basic" or not proves_itself(auth.settings.service_secrets, name, secret):
        raise Problem(
            401,
            "service-not-known",
            "The caller is not a service that is known here.",
            headers={"www-authenticate": "Basic"},
        )
    return name


def _must_be_allowed(table: Mapping[str, frozenset[str]], caller: str, audience: str) -> None:
    if audience not in table.get(caller, frozenset()):
        raise Problem(403, "audience-not-allowed", "This caller may not call that service.")


async def _must_be_granted(store: EventStore[object], person: contract.OnBehalfOf) -> None:
    async with store.engine.connect() as connection:
        held = await held_grants(connection, PersonId(person.person_id))
    if not any((g.role, g.organisation_id) == (person.role.value, person.organisation_id) for g in held):
        raise NotGranted


def _own(session: OwnSession) -> contract.OwnSession:
    return contract.OwnSession(
        session_id=session.session_id,
        started_at=session.started_at,
        seen_at=session.seen_at,
        browser=session.browser,
        role=Role(session.role) if session.role else None,
        organisation_name=session.organisation_name,
        present=session.present,
    )

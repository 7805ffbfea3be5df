"""Signing in and out, one's own sessions and password, and what was done with accounts, sessions and keys."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api import cookies
from api.auth import Caller, Principal
from api.cross_site import refuse_cross_site
from api.demands import Code
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain import roles
from domain.needs import Need
from service import sign_in as signing
from service import sign_in_views
from service.desk import Desk
from service.passwords import LONGEST
from service.sign_in import Device

router = APIRouter(prefix="/api/v1", tags=["identity"], route_class=StrictRoute)

Password = Annotated[str, Field(min_length=1, max_length=LONGEST, json_schema_extra={"format": "password"})]


class SignInForm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=64)]
    password: Password


class PasswordForm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    old: Password
    new: Password


def _is_session_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{16}", text):
        raise problem("not_found")
    return text


def _is_person_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", text):
        raise problem("not_found")
    return text


SessionId = Annotated[str, AfterValidator(_is_session_id)]
PersonId = Annotated[str, AfterValidator(_is_person_id)]


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def device_of(request: Request) -> Device:
    """The address is that of the connection; behind a proxy the server is told whom to believe (FORWARDED_ALLOW_IPS)."""
    return Device(request.client.host if request.client else "", request.headers.get("user-agent", "")[:512])


def give_session(request: Request, response: Response, token: str) -> None:
    days = request.app.state.settings.session_days
    cookies.write(request, response, cookies.SESSION, token, seconds=days * 86_400)
    response.headers["Cache-Control"] = "no-store"


def _session_of(caller: Principal) -> str:
    if caller.session is None:
        raise problem("forbidden", "This is for somebody who has signed in; a key is revoked, not signed out.")
    return caller.session


# ---- the session


@router.post("/session", status_code=201)
@needs(Need.PUBLIC, because="Whoever signs in is not known yet; it is throttled.")
async def sign_in(form: SignInForm, request: Request, response: Response) -> dict[str, Any]:
    """Sign in. The answer sets the session's cookie; the session that the browser had before ends.

    A wrong name and a wrong password are told apart by nothing. After a few wrong ones it takes longer and longer (429 with
    Retry-After). No Idempotency-Key: each time is another session."""
    refuse_cross_site(request, neither_is_fine=True)
    desk = desk_of(request)
    opened = await signing.sign_in(
        desk, form.user, form.password, device_of(request), now=desk.now(),
        old_token=cookies.read(request, cookies.SESSION),
    )  # fmt: skip
    request.app.state.principals.forget()
    give_session(request, response, opened.token)
    person = desk.district.person(opened.session.person)
    return await _me(desk, Principal(id=person.id, grants=person.grants, session=opened.session.id))


@router.get("/session")
@needs(Need.BE_KNOWN)
async def who_am_i(caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """Who I am, what I may, and by what: `scopes` is null where no key narrows it."""
    response.headers["Cache-Control"] = "no-store"
    return await _me(desk_of(request), caller)


async def _me(desk: Desk, caller: Principal) -> dict[str, Any]:
    scopes = None if caller.scopes is None else sorted(caller.scopes)
    return {**await sign_in_views.me(desk, caller, caller.session), "scopes": scopes, "key": caller.key}


@router.delete("/session")
@needs(Need.OWN_SESSIONS)
async def sign_out(caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """Sign out. `end_session_url` leads to the identity provider's own sign-out, where the session came from there."""
    desk, session = desk_of(request), _session_of(caller)
    own = await sign_in_views.sessions_of(desk, caller.id, session)
    await signing.sign_out(desk, caller.id, session, desk.now())
    request.app.state.principals.forget()
    cookies.remove(request, response, cookies.SESSION)
    response.headers["Cache-Control"] = "no-store"
    url = None
    if any(one["current"] and one["how"] == "oidc" for one in own):
        from api.oidc import provider_of

        url = await provider_of(request).end_session_url()
    return {"signed_out": True, "end_session_url": url}


@router.post("/session/password")
@needs(Need.OWN_SESSIONS)
async def change_own_password(form: PasswordForm, caller: Caller, request: Request) -> dict[str, Any]:
    """One's own. All other sessions end; the one that asks goes on."""
    desk, session = desk_of(request), _session_of(caller)
    ended = await signing.change_password(
        desk, caller.id, session, form.old, form.new, device_of(request), now=desk.now()
    )
    request.app.state.principals.forget()
    return {"changed": True, "sessions_ended": ended}


# ---- all sessions


@router.get("/sessions")
@needs(Need.OWN_SESSIONS)
async def list_own_sessions(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """My sessions that live, newest first."""
    return await sign_in_views.sessions_of(desk_of(request), caller.id, caller.session)


@router.delete("/sessions/{id}")
@needs(Need.MANAGE_SESSIONS)
async def end_session(id: SessionId, caller: Caller, request: Request) -> dict[str, Any]:
    """One of mine, or, for an administrator, anybody's. Every process refuses it within five seconds."""
    desk = desk_of(request)
    await signing.revoke(desk, caller.id, id, desk.now(), anybodys=roles.may(caller, Need.MANAGE_SESSIONS))
    request.app.state.principals.forget()
    return {"revoked": True}


@router.get("/people/{id}/sessions")
@needs(Need.MANAGE_SESSIONS)
async def list_sessions_of_person(id: PersonId, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """Somebody's sessions that live, for an administrator."""
    roles.must(caller, Need.MANAGE_SESSIONS, owner=id)
    return await sign_in_views.sessions_of(desk_of(request), id, caller.session)


@router.delete("/people/{id}/sessions")
@needs(Need.MANAGE_SESSIONS)
async def end_sessions_of_person(id: PersonId, caller: Caller, request: Request) -> dict[str, Any]:
    """Sign somebody out everywhere; of one's own, all but the one that asks."""
    roles.must(caller, Need.MANAGE_SESSIONS, owner=id)
    desk = desk_of(request)
    ended = await signing.revoke_all(desk, caller.id, id, desk.now(), but=caller.session)
    request.app.state.principals.forget()
    return {"sessions_ended": ended}


# ---- what was done


@router.get("/identity-events")
@needs(Need.SEE_IDENTITY_EVENTS)
async def list_identity_events(
    caller: Caller, request: Request, response: Response, page: PageAsked,
    person: Code = None, kind: Annotated[str | None, Query(max_length=32)] = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Sign-ins and refusals, sessions that were ended, keys, accounts: newest first. Roles stand in `/api/v1/changes`."""
    desk = desk_of(request)
    before = None if page.after is None else _number(page.after[0])
    found = await sign_in_views.events(desk, caller, person=person, kind=kind, before=before, limit=page.limit + 1)
    if len(found) > page.limit:
        page.link_next(response, [found[page.limit - 1].id])
    return [sign_in_views.event_view(desk, one) for one in found[: page.limit]]


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value

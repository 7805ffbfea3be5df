"""Who looks at a page, and how that person likes it: language, light, size of the letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from fastapi import Request

from domain import roles
from domain.actors import Actor
from domain.needs import Need
from domain.vocabulary import Role
from service.desk import Desk
from web.words import LANGUAGES, Language, Say, say

Theme = Literal["auto", "light", "dark"]
Size = Literal["normal", "large", "huge"]
T = TypeVar("T", bound=str)
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")
SIZES: tuple[Size, ...] = ("normal", "large", "huge")

# Written by static/shell.js, which is why they are readable there; they say nothing of anybody.
LANGUAGE_COOKIE, THEME_COOKIE, SIZE_COOKIE = "linli-language", "linli-theme", "linli-size"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """`actor` is None for somebody without an account."""

    actor: Actor | None
    name: str
    language: Language
    theme: Theme
    size: Size

    @property
    def t(self) -> Say:
        return say(self.language)

    @property
    def english(self) -> bool:
        return self.language == "en"

    def may(self, need: Need) -> bool:
        """Whether some role of this person gives it, however far; how far is asked where the object is known."""
        return self.actor is not None and roles.holds(self.actor, need)

    def is_(self, role: str) -> bool:
        return self.actor is not None and any(grant.role == role for grant in self.actor.grants)

    @property
    def staff(self) -> Actor:
        """The actor, on pages that nobody sees without an account."""
        assert self.actor is not None
        return self.actor

    def scope_of(self, role: Role) -> tuple[str | None, str | None]:
        """(community, unit) of the first grant of this role."""
        found = next((g for g in self.staff.grants if g.role is role), None)
        return (found.community, found.unit) if found else (None, None)


async def visitor_of(request: Request) -> Visitor:
    """Who a session's cookie says is looking. The composition root tells how cookies are read (`app.state.caller`)."""
    actor = cast(Actor | None, await request.app.state.caller(request))
    return Visitor(
        actor=actor,
        name=_name(request.app.state.desk, actor),
        language=_language(request),
        theme=_one_of(request, THEME_COOKIE, THEMES, "auto"),
        size=_one_of(request, SIZE_COOKIE, SIZES, "normal"),
    )


def _name(desk: Desk, actor: Actor | None) -> str:
    return "" if actor is None else desk.district.person(actor.id).name


def _language(request: Request) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if chosen == language:
            return language
    for part in request.headers.get("accept-language", "").lower().split(","):
        tongue = part.split(";")[0].strip()
        if tongue.startswith("zh"):
            return "zh"
        if tongue.startswith("en"):
            return "en"
    return "zh"


def _one_of(request: Request, cookie: str, known: tuple[T, ...], otherwise: T) -> T:
    chosen = request.cookies.get(cookie)
    return next((one for one in known if one == chosen), otherwise)

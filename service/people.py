"""People and their roles, changed from the command line: published like everything else that is changed at run time.

    newest version (of the files, or published) ──> changed ──> the whole district is checked ──> a publication `person`

So one district comes out everywhere: routing, administration and sign-in read it, and `GET /api/v1/changes` tells who
changed whom. Over HTTP the same is `PUT /api/v1/people/{id}` (service/admin.py).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from datetime import datetime

from domain.actors import Grant
from domain.errors import DomainError
from domain.people import Person
from service.admin_diff import differences
from service.admin_versions import digest, newest
from service.admin_views import before_any
from service.publish_carry import TRIES, last_of, must_fit
from service.publish_district import PERSON, Standing
from service.publish_in_force import InForce
from service.publish_watch import Watch
from store import publications as storing
from store.pool import Pool
from store.publications import Publication

# From what stands of the person (None for somebody new) to what shall stand.
Change = Callable[[Standing | None], Standing]


class People:
    """Of one installation; `watch` knows what is in force."""

    def __init__(self, pool: Pool, watch: Watch) -> None:
        self._pool = pool
        self._watch = watch

    async def one(self, id: str) -> Person:
        """As in force. Raises DomainError `unknown_person`."""
        return (await self._watch.take_over()).district.person(id)

    async def add(self, standing: Standing, *, by: str, now: datetime) -> str:
        """Somebody new; returns the id."""

        def new(old: Standing | None) -> Standing:
            if old is not None:  # in this moment somebody else was given the id
                raise _Taken
            return standing

        for _ in range(TRIES):
            id = next_id(await self._watch.take_over())
            with contextlib.suppress(_Taken):
                if await self._published(id, new, by=by, now=now):
                    return id
        raise _meanwhile()

    async def grant(self, id: str, grant: Grant, *, by: str, now: datetime) -> None:
        """Raises DomainError `already_published` for a role the person has, `publication_invalid`."""
        await self._change(id, lambda old: _with(old, grant), by=by, now=now)

    async def take_away(self, id: str, grant: Grant, *, by: str, now: datetime) -> None:
        """Raises DomainError `not_found` for a role the person has not, `publication_invalid`."""
        await self._change(id, lambda old: _without(old, grant), by=by, now=now)

    async def _change(self, id: str, change: Change, *, by: str, now: datetime) -> None:
        for _ in range(TRIES):
            if await self._published(id, change, by=by, now=now):
                return
        raise _meanwhile()

    async def _published(self, id: str, change: Change, *, by: str, now: datetime) -> bool:
        """False when something else was published in this moment."""
        standing = await self._watch.take_over()
        version = newest(standing, PERSON, id, before_any(self._watch.base.district, standing, PERSON, id))
        last_of(standing.line(PERSON, id), now)
        after = change(None if version.body is None else Standing.model_validate_json(version.body))
        body = after.model_dump_json()
        before = None if version.body is None else json.loads(version.body)
        impact = {"changes": differences(before, json.loads(body))}
        new = Publication(standing.as_of + 1, PERSON, id, digest(body), json.loads(body), impact, by, now, now)
        await must_fit(self._watch.base, standing, new)
        async with storing.publishing(self._pool) as transaction:
            if await transaction.newest_id() != standing.as_of:
                return False
            await transaction.insert(kind=PERSON, key=id, version=new.version, body=body, impact=impact, by=by, at=now)
        return True


class _Taken(Exception):
    """The id is somebody's."""


def _meanwhile() -> DomainError:
    return DomainError("published_meanwhile", "Something else was published just now. Try again.")


def next_id(standing: InForce) -> str:
    """`p-` and the number after the highest, also of those that are yet to take effect."""
    known = {p.id for p in standing.district.people} | {p.key for p in standing.publications if p.kind == PERSON}
    numbers = [int(match[1]) for id in known if (match := re.fullmatch(r"p-(\d{1,9})", id))]
    return f"p-{max(numbers, default=0) + 1:04d}"


def _with(old: Standing | None, grant: Grant) -> Standing:
    standing = _person_of_district(old)
    if grant in standing.grants:
        raise DomainError("already_published", "The person has this role already.")
    return standing.model_copy(update={"grants": (*standing.grants, grant)})


def _without(old: Standing | None, grant: Grant) -> Standing:
    standing = _person_of_district(old)
    if grant not in standing.grants:
        has = [one.model_dump(exclude_none=True, mode="json") for one in standing.grants]
        raise DomainError("not_found", "The person does not have this role.", roles=has)
    left = tuple(one for one in standing.grants if one != grant)
    if not left:
        rule = "It is the person's only role. Give another one first, or disable the user."
        raise DomainError("publication_invalid", rule)
    return standing.model_copy(update={"grants": left})


def _person_of_district(old: Standing | None) -> Standing:
    if old is None:
        raise DomainError("unknown_person", "This district has no such person.")
    return old

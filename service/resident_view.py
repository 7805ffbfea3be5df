"""A demand as its reporter sees it through a link or a code: stage, next promise, replies, history, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.demand import Demand
from domain.lifecycle import permitted
from domain.masking import mask_email, mask_phone
from domain.privacy import ReadingReason
from domain.resident_door import OPENS
from domain.resident_words import DUTIES, WAITS_FOR, Told, Words, next_of, stage_words, told
from domain.vocabulary import ClockName, Role, Stage
from service import files
from service.desk import Desk
from service.resident_deeds import given_answer
from service.resident_door import Entered
from service.views import View, instant, person_view, unit_view
from service.words import kept_person, opened, reading
from store import personal, queries, texts
from store.tables import DemandEventRow
from store.texts import KeptText

MOST_EVENTS = 1_000
_PROMISED = {
    ClockName.ACCEPT: ("签收", "accepted"), ClockName.CONTACT: ("与您联系", "you are contacted"),
    ClockName.RESOLVE: ("办结", "done"), ClockName.FOLLOW_UP: ("回访您", "you are asked how it was"),
}  # fmt: skip
"""The four clocks of a resident."""


async def view(desk: Desk, entered: Entered, demand: Demand | None = None) -> View:
    """`demand` is how it stands after something was done. That it was read is kept."""
    d = demand or entered.demand
    own = _own_ids(entered, d)
    log = await queries.events(desk.engine, d.number, after=0, limit=MOST_EVENTS)
    category = desk.district.directory.categories.get(d.category)
    reopen = d.clocks.get(ClockName.REOPEN)
    can = [one for one in permitted(d, entered.actor) if one in OPENS[entered.kind]]
    return {
        "number": d.number,
        "opened_at": instant(d.opened_at),
        "category": None if category is None else {"zh": category.name, "en": category.name_en},
        "place": _place(desk, d),
        "stage": {"code": d.stage, **_said(stage_words(d))},
        "next": next_view(d),
        "waits_for": _said(waits_for) if (waits_for := WAITS_FOR.get(d.info_reason or "")) else None,
        "owner": _owner(desk, d),
        "promises": promises(d),
        "outcome": d.outcome,
        "closed_at": instant(d.closed_at),
        "reopen_until": instant(reopen.due_at) if reopen and reopen.running and not d.sealed else None,
        "texts": await _texts(desk, entered, d, own),
        "files": await files.files_of(desk, entered.actor, d.number),
        "history": [_told_view(desk, one) for one in _history(log, own)],
        "questions": {"open": "confirm" in can, "given": await given_answer(desk, d)},
        "permitted": can,
        "contact": await _contact(desk, d) if "contact" in OPENS[entered.kind] else None,
        "erased_at": instant(await personal.erased_at(desk.pool, d.number)),
        "pass": {"kind": entered.kind, "expires_at": instant(entered.expires_at)},
    }


def _own_ids(entered: Entered, d: Demand) -> frozenset[str]:
    """Under which ids the reporter has acted: by link or code, and by the account it was sent from."""
    account = (d.opened_by,) if "account" in d.reach else ()
    return frozenset((entered.actor.id, *account))


def _said(words: Words) -> View:
    return {"zh": words[0], "en": words[1]}


def _place(desk: Desk, d: Demand) -> View | None:
    if d.place is None:
        return None
    known = desk.district.directory
    community, compound = known.communities.get(d.place.community), known.compounds.get(d.place.compound or "")
    return {"community": community.name if community else None, "compound": compound.name if compound else None}


def _owner(desk: Desk, d: Demand) -> View | None:
    """Who owes the next step: a person with a name."""
    person, unit = person_view(desk, d.holder), unit_view(desk, d.unit)
    if person is None:
        return None
    return {"name": person["name"], "unit": unit["name"] if unit else None, "role": _duty(desk, d)}


def _duty(desk: Desk, d: Demand) -> View | None:
    """As what that person owes it: on a grid a grid worker, though the same person may be a secretary as well."""
    known = desk.district.directory.people.get(d.holder or "")
    found = [grant.role for grant in known.grants if grant.role in DUTIES] if known else []
    if d.stage is Stage.GRID and Role.GRID_WORKER in found:
        found = [Role.GRID_WORKER]
    return _said(DUTIES[found[0]]) if found else None


def next_view(d: Demand) -> View | None:
    found = next_of(d)
    return None if found is None else {**_said(found.words), "due_at": instant(found.due_at), "late": found.late}


def promises(d: Demand) -> list[View]:
    found = []
    for name, words in _PROMISED.items():
        clock = d.clocks.get(name)
        if clock is None:
            continue
        state = "paused" if clock.paused_at else "stopped" if clock.stopped_at else "running"
        due_at: datetime | None = None if clock.paused_at else clock.due_at
        found.append(
            {"promise": name, **_said(words), "due_at": instant(due_at), "state": state, "broken": clock.breached}
        )  # fmt: skip
    return found


async def _texts(desk: Desk, entered: Entered, d: Demand, own: frozenset[str]) -> list[View]:
    """What the reporter wrote and was answered, oldest first; an answer that is no text of ours but a rule's is last."""
    shown = [one for one in await texts.kept(desk.pool, d.number) if _is_theirs(one, own)]
    if shown:
        kinds = sorted({one.kind for one in shown})
        await personal.tell(
            desk.pool, reading(desk, entered.actor, "texts", ReadingReason.OWN_DATA, *kinds), [d.number]
        )
    words = await opened(desk, entered.actor, d, shown)
    found: list[View] = [
        {
            "kind": one.kind, "by_you": one.kind != "reply", "written_at": instant(one.written_at), "text": text,
            "erased_at": instant(one.erased_at),
        }
        for one, text in zip(shown, words, strict=True)
    ]  # fmt: skip
    return [*found, *_screened(desk, d)]


def _is_theirs(one: KeptText, own: frozenset[str]) -> bool:
    return one.kind in ("demand", "reply") or (one.kind == "note" and one.author in own)


def _screened(desk: Desk, d: Demand) -> Iterable[View]:
    """Where somebody with a matter for others was sent."""
    kind, _, id = (d.reply_id or "").partition(":")
    rule = next((r for r in desk.district.screening if r.id == id), None) if kind == "screening" else None
    if rule is not None:
        at = instant(d.closed_at)
        yield {"kind": "reply", "by_you": False, "written_at": at, "text": rule.go_to, "erased_at": None}


def _history(log: Sequence[DemandEventRow], own: frozenset[str]) -> Iterable[Told]:
    """Oldest first; what says the same twice at one instant is told once."""
    last: Told | None = None
    for row in log:
        one = told(row.type, row.at, row.data, own=row.actor in own)
        if one is not None and one != last:
            last = one
            yield one


def _told_view(desk: Desk, one: Told) -> View:
    unit = unit_view(desk, one.unit)
    name = (unit["name"] or unit["id"]) if unit else ""
    return {
        "at": instant(one.at),
        "zh": one.words[0].replace("{unit}", name),
        "en": one.words[1].replace("{unit}", name),
    }


async def _contact(desk: Desk, d: Demand) -> View:
    """How messages reach the reporter, masked: whoever holds the link need not be the only one who reads it."""
    said = await kept_person(desk, d.number)
    phone, email = said.get("phone"), said.get("email")
    return {
        "phone": mask_phone(phone) if isinstance(phone, str) else None,
        "email": mask_email(email) if isinstance(email, str) else None,
    }

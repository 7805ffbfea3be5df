"""The door for somebody without an account who reports something: paced by address, done once, answered with how to follow it.

    secret of the draft ──> an actor for this one report ──> photos ──> demand ──> number, code, link, what is promised

The secret never leaves the browser but in a header. Only with it can the draft's photos be named, and the answer be had again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.actors import Actor, Grant, reporter_of
from domain.demand import Demand
from domain.errors import DomainError
from domain.resident_door import walk_in
from domain.resident_words import stage_words
from domain.vocabulary import Role, Stage
from service import intake
from service import sign_in_pace as pace
from service.actions import act
from service.desk import Desk
from service.forms import MergeForm
from service.identity_marks import Marks, network_of, token_hash
from service.notice_links import PAGE
from service.qr import qr_of
from service.reading import current
from service.resident_view import next_view, promises
from service.sign_in_pace import Paced
from service.views import View, instant
from service.walk_in_draft import advice, matter_of
from service.walk_in_forms import WalkInForm
from store import links
from store.links import New
from store.sign_in_tries import Counter, Pace

# Many people may share an address: a family, an office, all customers of a mobile network.
OF_DEMANDS = Pace(free=20, longest=timedelta(minutes=15), forget_one=timedelta(minutes=1))
OF_FILES = Pace(free=80, longest=timedelta(minutes=5), forget_one=timedelta(seconds=15))
OF_LOOKS = Pace(free=90, longest=timedelta(minutes=1), forget_one=timedelta(seconds=5))
WAIT = "Too much from this address in a short time. Wait as Retry-After says, or call the hotline."

_OF_A_RECEIPT = 0
"""Stands where the number of a notice stands in the token of a link: no notice has it."""


@dataclass(frozen=True)
class Taken:
    body: View
    repeated: bool


def actor_of(secret: str) -> Actor:
    """Who reports with this secret: known by its hash alone, and by another one for another report."""
    return walk_in(hashlib.sha256(f"linli walk-in\n{secret}".encode()).hexdigest()[:32])


async def pass_by(desk: Desk, what: Pace, address: str, now: datetime) -> None:
    """Raises DomainError `too_many_requests`."""
    name = {OF_DEMANDS: "walk-in demand", OF_FILES: "walk-in file", OF_LOOKS: "walk-in look"}[what]
    mark = Marks(desk.settings.key_ring()).of(name, network_of(address))
    await pace.enter(desk.pool, Paced(None, Counter(mark, what)), now, rule=WAIT)


async def take(desk: Desk, actor: Actor, form: WalkInForm, key: str, base: str) -> Taken:
    """The demand, taken in once. `base` is how this installation is reached where the settings do not say it.

    Raises DomainError as `intake.submit` does, and `unknown_matter` for a `follow` that was not offered lately.
    """
    matter = None if form.follow is None else matter_of(desk, form.follow)
    taken = await intake.submit(desk, actor, form.submitted(), key)
    demand = await current(desk, taken.number)
    followed = None
    if matter is not None:
        demand, followed = await _followed(desk, demand, matter, key)
    generation = await links.generation(desk.pool, demand.number)
    link = await _link(desk, demand.number, generation, base)
    code = desk.reporter_keys.code(demand.number, generation)
    return Taken(
        _receipt(desk, demand, form, followed) | {"code": code, "link": link, "qr": qr_of(link)}, taken.repeated
    )


async def _followed(desk: Desk, demand: Demand, matter: str, key: str) -> tuple[Demand, bool]:
    """Handled with the other one, as an operator would have it at the caller's word. What a rule refuses, or what gets no
    verdict in time, is handled by itself: nothing is lost by that, and staff are shown the likeness."""
    if demand.stage is Stage.CLOSED:
        return demand, False
    if demand.primary is not None:
        return demand, True
    by = Actor(id=reporter_of(demand.number), grants=(Grant(role=Role.OPERATOR),))
    try:
        return await act(desk, by, demand.number, MergeForm(type="merge", primary=matter), f"{key}-follow"), True
    except DomainError:
        now = await current(desk, demand.number)
        return now, now.primary is not None


async def _link(desk: Desk, number: str, generation: int, base: str) -> str:
    token = desk.reporter_keys.tokens(_OF_A_RECEIPT, number, generation)[0]
    await links.keep(desk.pool, New(token_hash(token), number, "follow", generation), desk.now())
    return f"{desk.settings.public_url or base}{PAGE}#{token}"


def _receipt(desk: Desk, demand: Demand, form: WalkInForm, followed: bool | None) -> View:
    category = desk.district.directory.categories.get(demand.category)
    zh, en = stage_words(demand)
    return {
        "number": demand.number,
        "opened_at": instant(demand.opened_at),
        "category": None if category is None else {"zh": category.name, "en": category.name_en},
        "stage": {"code": demand.stage, "zh": zh, "en": en},
        "next": next_view(demand),
        "promises": promises(demand),
        "followed": followed,
        "elsewhere": advice(desk, form.text) if demand.stage is Stage.CLOSED else None,
    }

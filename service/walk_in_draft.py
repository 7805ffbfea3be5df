"""What a draft of somebody without an account is told before it is sent: whom to call, a category, what others reported.

Of others nothing is told but what about, about where, since when and how many: their numbers come sealed, and only so that
this draft can be handled with them.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

from domain.actors import Actor
from domain.categories import Category
from domain.demand import Demand
from domain.district import District
from domain.errors import DomainError
from domain.vocabulary import Stage
from service import duplicates
from service.desk import Desk
from service.identity_marks import Marks
from service.places import locate
from service.reading import current
from service.views import View
from service.walk_in_forms import LookForm

MOST_CATEGORIES = 4
OFFERED_FOR = timedelta(hours=12)
"""How long what was offered may be followed: a draft may wait for a network."""
_PURPOSE = "resident matter"


async def look(desk: Desk, actor: Actor, form: LookForm) -> View:
    """Nothing of it is kept. Raises DomainError: `unknown_category`, `unknown_place`."""
    place = locate(desk, form.location, desk.now())
    known = desk.district.directory
    compound = known.compounds.get(place.compound or "") if place else None
    return {
        "elsewhere": advice(desk, form.text),
        "categories": [
            category_view(desk.district, desk.district.category(one.code))
            for one in desk.district.suggest_categories(form.text, limit=MOST_CATEGORIES)
        ],
        "place": None
        if place is None
        else {
            "community": known.communities[place.community].name,
            "compound": compound.name if compound else None,
        },
        "matters": await _matters(desk, actor, form),
    }


def advice(desk: Desk, text: str) -> View | None:
    """Where to go with what is not for the subdistrict; `kind` `emergency` is for now and for the telephone."""
    found = desk.district.screen(text)
    return None if found is None else {"kind": found.kind, "zh": found.go_to, "en": found.go_to_en}


def category_view(district: District, category: Category) -> View:
    path = district.category_path(category.code)
    return {
        "code": category.code, "zh": category.name, "en": category.name_en,
        "group": {"zh": path[0].name, "en": path[0].name_en} if path else None,
    }  # fmt: skip


async def _matters(desk: Desk, actor: Actor, form: LookForm) -> list[View]:
    """What others reported there, each matter once however many reported it."""
    found: dict[str, View] = {}
    case = duplicates.case_of(desk, form)
    for one in await duplicates.likely(desk, actor, case, None):
        matter = one.demand if one.demand.primary is None else await current(desk, one.demand.primary)
        if matter.number in found or matter.stage is Stage.CLOSED or matter.confidential:
            continue
        told = duplicates.hint(desk, actor, case.at, one)
        del told["number"]
        found[matter.number] = told | {"reporters": 1 + len(matter.followers), "follow": _sealed(desk, matter)}
    return list(found.values())


def _sealed(desk: Desk, matter: Demand) -> str:
    until = (desk.now() + OFFERED_FOR).isoformat()
    sealed = Marks(desk.settings.key_ring()).seal(json.dumps([matter.number, until]).encode(), _PURPOSE)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def matter_of(desk: Desk, follow: str) -> str:
    """The number behind what was offered. Raises DomainError `unknown_matter`."""
    sealed = base64.urlsafe_b64decode(follow + "=" * (-len(follow) % 4))
    plain = Marks(desk.settings.key_ring()).unseal(sealed, _PURPOSE)
    if plain is not None:
        number, until = json.loads(plain)
        if datetime.fromisoformat(until) > desk.now():
            return str(number)
    rule = "This was not offered, or too long ago. Look at the draft again, or leave `follow` out."
    raise DomainError("unknown_matter", rule, field="/follow")

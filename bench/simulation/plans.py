"""What each resident wants, and how that person is: drawn from the seed before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from bench.simulation.people import Cast
from bench.simulation.telephone import Body
from domain.categories import Category
from domain.district import District

Reply = Literal["happy", "content", "partly", "unsolved", "dissatisfied", "silent"]
_REPLIES: tuple[Reply, ...] = ("happy", "content", "partly", "unsolved", "dissatisfied", "silent")

_OPENINGS = ("我们这里", "小区里", "楼下", "路口", "门口", "隔壁单元")
_WISHES = ("请尽快派人来看看。", "已经反映过一次，没有人来。", "影响大家出入，请帮忙处理。", "希望能有个答复。")
_FOR_OTHERS = ("家里着火了，烟很大！", "我要申请信访复查，对答复不服。", "不服法院判决，要求重新审理。")


@dataclass(frozen=True)
class Plan:
    """`replies` are the reporter's answers, one for each time the demand comes back as solved; the last one stays.

    `slow` means that the first person in charge lets the accept clock run out.
    """

    index: int
    key: str
    opener: str
    body: Body
    replies: tuple[Reply, ...]
    reopens: bool
    slow: bool


def plans(cast: Cast, count: int, seed: int) -> list[Plan]:
    # Slow people cost two minutes of waiting: among the first ones, so that the others work meanwhile.
    slow = set(Random(f"{seed}:slow").sample(range(count // 4), count // 100))
    return [_plan(cast, index, seed, slow=index in slow) for index in range(count)]


def _plan(cast: Cast, index: int, seed: int, *, slow: bool) -> Plan:
    chance = Random(f"{seed}:{index}")
    opener, channel = _door(cast, chance)
    category = _category(cast.district, chance)
    body: Body = {"text": _text(category, chance), "channel": channel}
    if chance.random() < 0.6:
        body["category"] = category.code
    if chance.random() < 0.06:
        body["confidential"] = True
    location = _location(cast.district, chance)
    if location is not None:
        body["location"] = location
    if channel in ("hotline", "open311"):
        body["reporter"] = {"name": f"来电人{index}", "phone": f"0000{chance.randint(1_000_000, 9_999_999)}"}
    return Plan(
        index=index, key=f"simulate-{seed}-{index}", opener=opener, body=body, replies=_replies(chance),
        reopens=chance.random() < 0.07, slow=slow,
    )  # fmt: skip


def _door(cast: Cast, chance: Random) -> tuple[str, str]:
    channel = chance.choices(("resident", "hotline", "patrol", "api", "open311"), (55, 20, 12, 8, 5))[0]
    openers = {
        "resident": cast.residents, "hotline": cast.operators, "api": cast.integrators, "open311": cast.integrators,
        "patrol": [grid.duty_worker for grid in cast.district.grids],
    }  # fmt: skip
    return chance.choice(openers[channel]), channel


def _category(district: District, chance: Random) -> Category:
    """Half of them for the grid, so that grid workers have as much to do as units."""
    grid_level = chance.random() < 0.5
    return chance.choice([c for c in district.categories if (c.handling_level == "grid") is grid_level])


def _text(category: Category, chance: Random) -> str:
    if chance.random() < 0.03:
        return chance.choice(_FOR_OTHERS)
    about = chance.choice(category.keywords) if category.keywords else category.name
    return f"{chance.choice(_OPENINGS)}{about}的问题，{chance.choice(_WISHES)}"


def _location(district: District, chance: Random) -> Body | None:
    compound = chance.choice(district.compounds)
    kind = chance.choices(("compound", "named", "point", "grid", "nowhere", "elsewhere"), (45, 8, 20, 12, 11, 4))[0]
    room = {"building": str(chance.randint(1, 30)), "room": str(chance.randint(101, 2604))}
    places: dict[str, Body | None] = {
        "compound": {"compound": compound.id, **room},
        "named": {"compound": compound.name},
        "point": {"lat": compound.lat, "lon": compound.lon},
        "grid": {"grid": compound.grid},
        "nowhere": None,
        "elsewhere": {"lat": 31.2304, "lon": 121.4737},  # a point far outside: the dispatcher asks and finds it
    }
    return places[kind]


def _replies(chance: Random) -> tuple[Reply, ...]:
    stubborn = chance.random() < 0.04
    if stubborn:  # three times not solved leads to the joint meeting
        return ("unsolved", "dissatisfied", "unsolved", "content")
    return (*(chance.choices(_REPLIES, (50, 16, 6, 9, 9, 10))[0] for _ in range(3)), "happy")

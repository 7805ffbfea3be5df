"""What a person chooses among the actions that the API permits, and what that person says. Weights, not rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from bench.simulation.plans import Reply
from bench.simulation.telephone import Body
from domain.district import District

# Weight of each action of the person in charge, before and after accepting. What is not here that person leaves alone.
NEW: dict[str, float] = {
    "accept": 9, "refuse": 1.5, "hand_off": 0.5, "resolve": 0.5, "escalate": 0.3, "add_co_units": 0.5,
}  # fmt: skip
TAKEN: dict[str, float] = {
    "contact": 5, "note": 0.8, "request_info": 0.7, "extend": 0.7, "resolve": 6, "hand_off": 1.6, "escalate": 0.8,
    "add_co_units": 1.8,
}  # fmt: skip
MOST: dict[str, int] = {
    "contact": 2, "note": 2, "request_info": 1, "extend": 1, "refuse": 4, "hand_off": 3, "escalate": 2, "urge": 1,
    "reassign": 1, "reopen": 1, "add_co_units": 2, "swap_lead": 1,
}  # fmt: skip
LONG = 14
"""Actions after which people come to the point."""

_TO_THE_POINT = ("accept", "resolve")


def choose(chance: Random, permitted: Sequence[str], done: Counter[str]) -> str | None:
    """One of the permitted actions; None when there is nothing this person wants to do."""
    if "resume" in permitted:
        return "resume"
    weights = NEW if "accept" in permitted else TAKEN
    open_to = [name for name in weights if name in permitted and done[name] < MOST.get(name, 1_000)]
    if done.total() > LONG:
        open_to = [name for name in _TO_THE_POINT if name in open_to] or open_to
    return chance.choices(open_to, [weights[name] for name in open_to])[0] if open_to else None


class Words:
    """Bodies of actions, drawn from one chance so that a seed always says the same."""

    def __init__(self, district: District, chance: Random) -> None:
        self._district, self._chance = district, chance
        self._special: dict[str, Callable[[str | None, str], Body]] = {
            "refuse": self._refuse, "locate": lambda community, stage: {"location": self._place(community)},
            "hand_off": self._hand_off,
        }  # fmt: skip

    def of(self, action: str, *, community: str | None, stage: str) -> Body:
        special = self._special.get(action)
        said = special(community, stage) if special else self._plain(action)
        if self._chance.random() < 0.3 and action not in ("note", "urge"):
            said["note"] = self._pick("现场看过。", "已电话说明情况。", "照片另存。")
        return {"type": action, **said}

    def _plain(self, action: str) -> Body:
        draws: dict[str, Callable[[], Body]] = {
            "note": lambda: {"note": self._pick("已约时间上门。", "问过邻居，情况属实。", "等配件。")},
            "resolve": lambda: {
                "reply": self._pick("已处理完毕，感谢反映。", "已当面说明政策。", "已整改，欢迎监督。"),
                "outcome": self._pick("resolved", "resolved", "explained"),
            },
            "request_info": lambda: {"reason": self._pick("awaiting_reporter", "awaiting_access", "weather")},
            "extend": lambda: {"working_days": self._chance.randint(1, 3), "basis": self._pick("procurement", "season")},
            "decide_extension": lambda: {"approved": self._chance.random() < 0.7},
            "escalate": lambda: {"reason": self._pick("several_units", "beyond_power", "nobody_responsible")},
            "verify": lambda: {"ok": self._chance.random() < 0.88},
            "decide_final_reply": lambda: {"approved": self._chance.random() < 0.8},
            "call_back": lambda: {"channel": self._pick("phone", "visit", "sms"), "result": "no_answer"},
        }  # fmt: skip
        return draws[action]() if action in draws else {}

    def answer(self, reply: Reply) -> Body:
        """The reporter's three answers."""
        contacted = self._chance.random() < 0.9
        said = {
            "happy": ("yes", "satisfied"), "content": ("yes", "basically_satisfied"),
            "partly": ("partly", "basically_satisfied"), "unsolved": ("no", "very_dissatisfied"),
            "dissatisfied": ("yes", "dissatisfied"),
        }[reply]  # fmt: skip
        return {"type": "confirm", "contacted": contacted, "solved": said[0], "satisfied": said[1]}

    def decision(self, *, community: str, turn: int, committee: bool) -> Body:
        """What a joint meeting makes of an item; the more often it comes back, the more final."""
        weights = {"assign": 36, "return_to_grid": 12, "shelve": 12, "escalate": 10, "project": 18, "final_reply": 12}
        if committee:
            del weights["escalate"]
        if turn >= 3:
            weights = {"assign": 50, "final_reply": 50}
        kind = self._chance.choices(list(weights), list(weights.values()))[0]
        unit, *others = (u.id for u in self._chance.sample(self._district.units_of(community), 3))
        parts: dict[str, Body] = {
            "assign": {"unit": unit, "due_at": _ahead(days=self._chance.randint(3, 20)), **self._with_help(others)},
            "project": {"unit": unit, "due_at": _ahead(days=60), "milestones": self._milestones()},
            "shelve": {"review_at": _ahead(seconds=self._chance.randint(3, 6))},
            "final_reply": {"reply": "经联席会议研究，该事项的最终答复如下：按现有政策暂不能办理。"},
        }
        return {"kind": kind, "minute": "会议研究决定。", **parts.get(kind, {})}

    def _with_help(self, units: list[str]) -> Body:
        """What an assignment may bring besides: units that help, and a ruling for what comes later."""
        said: Body = {}
        if self._chance.random() < 0.4:
            helping = units[: self._chance.randint(1, 2)]
            said["co_units"] = [{"unit": unit, "required": self._chance.random() < 0.7} for unit in helping]
        if self._chance.random() < 0.2:
            said["ruling"] = {"category": self._chance.choice(self._district.categories).code, "until": _ahead(hours=1)}
        return said

    def _milestones(self) -> list[Body]:
        steps = ("现场勘察", "制定方案", "组织实施")[: self._chance.randint(1, 3)]
        return [{"what": what, "due_at": _ahead(days=14 * n)} for n, what in enumerate(steps, 1)]

    def swap_lead(self, *, community: str, unit: str) -> Body:
        """Any other unit of the community; whether it had it before, whoever swaps does not look up."""
        others = [u.id for u in self._district.units_of(community) if u.id != unit]
        return {"type": "swap_lead", "unit": self._chance.choice(others)}

    def _refuse(self, community: str | None, stage: str) -> Body:
        if stage != "grid":
            return {"basis": self._pick("not_our_duty", "no_power", "no_resources", "other_unit_responsible")}
        return {"basis": "wrong_grid"} | ({"location": self._place(community)} if self._chance.random() < 0.6 else {})

    def _hand_off(self, community: str | None, stage: str) -> Body:
        if community is None or self._chance.random() < 0.7:
            return {}
        return {"unit": self._chance.choice(self._district.units_of(community)).id}

    def _place(self, community: str | None) -> Body:
        """Mostly in the same community, sometimes in another."""
        near = [g for g in self._district.grids if community in (None, g.community)]
        grid = self._chance.choice(near if self._chance.random() < 0.7 else self._district.grids)
        compounds = self._district.compounds_of(grid.id)
        if compounds and self._chance.random() < 0.6:
            return {"compound": self._chance.choice(compounds).id}
        return {"grid": grid.id}

    def _pick(self, *options: str) -> str:
        return self._chance.choice(options)


def _ahead(**much: int) -> str:
    return (datetime.now(UTC) + timedelta(**much)).isoformat(timespec="milliseconds")

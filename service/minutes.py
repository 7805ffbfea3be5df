"""The minutes 会议纪要 of one session: as data, and as a page of Markdown in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain import roles
from domain.actors import Actor
from domain.bodies import rules_of
from domain.demand import Demand
from domain.masking import strike
from domain.needs import Need
from domain.session import Session
from service.desk import Desk
from service.meeting_views import line_view, session_view
from service.sessions import find
from service.views import View
from service.words import persons_hidden, reading
from store import meetings as storing
from store import personal, texts
from store.meetings import Line

KINDS = {"regular": "定期会议", "extra": "临时会议", "whistle": "吹哨会议"}
ABOUT = {"resident_problem": "居民诉求吹哨", "joint_enforcement": "联合执法吹哨", "emergency": "应急处置吹哨"}
HOW = {
    "rotation": "轮值", "swap": "轮值对调", "substitute": "代理", "override": "指定", "director": "主任", "secretary": "书记",
}  # fmt: skip
DECISIONS = {
    "assign": "交办", "project": "立项", "shelve": "挂账", "escalate": "提请街道大工委", "return_to_grid": "退回网格",
    "final_reply": "最终答复",
}  # fmt: skip
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")


async def taken(desk: Desk, actor: Actor, meeting: str, session: str) -> View:
    """Everything the minutes say. Texts are left out for those who do not work with this meeting.

    Raises DomainError `not_found`, `unknown_meeting`, `not_permitted` for residents.
    """
    found = await find(desk, actor, meeting, session)
    lines = await storing.decided_in(desk.pool, meeting, session, desk.now())
    words = await _words(desk, actor, lines) if _works_here(desk, actor, meeting) else {}
    categories = await _categories(desk, [*(line.number for line in lines), *found.rolled_over])
    settings = desk.district.meeting(meeting)
    return {
        "meeting": {"id": meeting, "name": settings.name, "timezone": desk.district.timezone},
        "session": session_view(desk, meeting, found),
        "members": len(found.whistle.units) if found.whistle else len(rules_of(desk.district, meeting).members),
        "decisions": [_decision(desk, line, found, categories, words) for line in lines],
        "rolled_over": [{"number": number, "category": categories.get(number)} for number in found.rolled_over],
    }  # fmt: skip


def _works_here(desk: Desk, actor: Actor, meeting: str) -> bool:
    scope = None if meeting == desk.district.id else meeting
    if roles.may(actor, Need.READ_MINUTES, community=scope):
        return True
    return actor.id in rules_of(desk.district, meeting).members.values()


async def _words(desk: Desk, actor: Actor, lines: list[Line]) -> Mapping[str, str]:
    """Lines of the minutes and plans by id; that they were read is kept."""
    ids = [id for line in lines for id in (line.minute_id, line.decision.plan_id if line.decision else None) if id]
    sealed = await texts.some(desk.pool, ids)
    numbers = sorted({number for number, _ in sealed.values()})
    if numbers:
        await personal.tell(desk.pool, reading(desk, actor, "minutes"), numbers)
    persons = await persons_hidden(desk, actor, numbers)
    return {
        id: strike(desk.sealer.open(kept, number), persons.get(number, {}))
        for id, (number, kept) in sealed.items()
    }  # fmt: skip


async def _categories(desk: Desk, numbers: list[str]) -> dict[str, str]:
    rows = await desk.pool.fetch("select number, state::text state from demand where number = any($1::text[])", numbers)
    codes = {r["number"]: Demand.model_validate_json(r["state"]).category for r in rows}
    leaves = desk.district.directory.categories
    return {number: leaves[code].name if code in leaves else code for number, code in codes.items()}


def _decision(
    desk: Desk, line: Line, session: Session, categories: Mapping[str, str], words: Mapping[str, str]
) -> View:
    view = line_view(desk, line, session)
    view["category"] = categories.get(line.number)
    view["minute"] = words.get(line.minute_id) if line.minute_id else None
    plan = words.get(line.decision.plan_id or "", "").splitlines() if line.decision else []
    whats = [*plan, *[None] * len(view.get("milestones", []))]
    view["milestones"] = [
        {"what": what, "due_at": at} for what, at in zip(whats, view.get("milestones", []), strict=False)
    ]
    if view.get("ruling"):
        code = view["ruling"]["category"]
        known = {**desk.district.directory.groups, **desk.district.directory.categories}
        view["ruling"] = {**view["ruling"], "name": known[code].name if code in known else None}
    return view


# ---- as a page


def as_markdown(taken: View) -> str:
    """会议纪要: chair, attendance, decisions, rulings, what rolled over. Local time of the district."""
    return "\n".join(_Page(taken, ZoneInfo(taken["meeting"]["timezone"])).lines()) + "\n"


class _Page:
    def __init__(self, taken: View, zone: ZoneInfo) -> None:
        self._taken, self._zone = taken, zone
        self._session: dict[str, Any] = taken["session"]

    def lines(self) -> Iterator[str]:
        yield f"# {_plain(self._taken['meeting']['name'])}会议纪要"
        yield ""
        yield from self._head()
        yield from self._attendance()
        yield from self._decisions()
        yield from self._rulings()
        yield from self._rolled_over()

    def _head(self) -> Iterator[str]:
        s = self._session
        yield f"- 会议：{KINDS[s['kind']]}（{s['id']}）"
        if s["whistle"]:
            yield f"- 事由：{ABOUT[s['whistle']['about']]}，要求 {self._at(s['whistle']['deadline_at'])} 前报到"
        yield f"- 召集：{self._at(s['called_at'])}，{_name(s['called_by'])}；定于 {self._at(s['starts_at'])} 召开"
        if s["opened_at"] is None:
            yield "- 开会：未召开"
        else:
            until = self._at(s["closed_at"]) if s["closed_at"] else "尚未散会"
            yield f"- 开会：{self._at(s['opened_at'])}；散会：{until}"
        yield f"- 主席：{self._chair()}"
        reached = "已达到" if s["has_quorum"] else "未达到，不作决定"
        yield f"- 到会：{len(s['present'])} 家，应到 {self._taken['members']} 家，法定 {s['quorum']} 家，{reached}"
        yield ""

    def _chair(self) -> str:
        chair = self._session["chair"]
        if chair is None:
            return "未产生"
        unit = f"{_name(chair['unit'])}，" if chair["unit"] else ""
        return f"{_name(chair)}（{unit}{HOW[chair['how']]}）"

    def _attendance(self) -> Iterator[str]:
        yield "## 到会单位"
        yield ""
        present, whistle = self._session["present"], self._session["whistle"]
        if not present:
            yield "无。"
        else:
            yield "| 单位 | 报到时间 | 登记 |"
            yield "|---|---|---|"
            for one in present:
                yield f"| {_name(one['unit'])} | {self._at(one['at'])} | {_name(one['said_by'])} |"
        absent = [unit for unit in whistle["units"] if unit["absent_at"]] if whistle else []
        if absent:
            yield ""
            yield f"截至 {self._at(absent[0]['absent_at'])} 未报到：{'、'.join(_name(unit) for unit in absent)}。"
        yield ""

    def _decisions(self) -> Iterator[str]:
        yield "## 议定事项"
        yield ""
        if not self._taken["decisions"]:
            yield "无。"
        for count, d in enumerate(self._taken["decisions"], 1):
            late = "；逾期议题，经主席同意" if d["consented"] else ""
            yield f"{count}. **{d['number']}** {_plain(d['category'])}：{DECISIONS.get(d['kind'], d['kind'])}{late}"
            yield from (f"   - {line}" for line in self._particulars(d))
        yield ""

    def _particulars(self, d: Mapping[str, Any]) -> Iterator[str]:
        if d.get("lead"):
            yield f"主办：{_name(d['lead'])}"
        if d.get("co_units"):
            yield "协办：" + "、".join(
                _name(one["unit"]) + ("（必须完成）" if one["required"] else "") for one in d["co_units"]
            )
        if d.get("due_at"):
            yield f"时限：{self._at(d['due_at'])}"
        if d.get("review_at"):
            yield f"复议：{self._at(d['review_at'])}"
        if d.get("project"):
            yield f"项目：{_plain(d['project'])}"
        for one in d["milestones"]:
            yield f"节点：{self._at(one['due_at'])} {_plain(one['what'])}".rstrip()
        if d["rolls"]:
            yield f"此前顺延 {d['rolls']} 次"
        if d["minute"]:
            yield f"记录：{_plain(d['minute'])}"
        if d.get("recorded_by") and d["recorded_by"]["id"] != (d["chair"] or {}).get("id"):
            yield f"录入：{_name(d['recorded_by'])}"

    def _rulings(self) -> Iterator[str]:
        yield "## 常设决定"
        yield ""
        made = [d for d in self._taken["decisions"] if d.get("ruling")]
        if not made:
            yield "无。"
        for d in made:
            ruling = d["ruling"]
            until = f"至 {self._at(ruling['until'])}" if ruling["until"] else "长期有效"
            what = _plain(ruling.get("name")) or ruling["category"]
            yield f"- 今后“{what}”（{ruling['category']}）类诉求，直接由{_name(d.get('lead'))}主办，{until}（依据 {d['number']}）"
        yield ""

    def _rolled_over(self) -> Iterator[str]:
        yield "## 顺延事项"
        yield ""
        left = self._taken["rolled_over"]
        yield f"共 {len(left)} 件。" if left else "无。"
        if left:
            yield ""
        yield from (f"- {one['number']} {_plain(one['category'])}" for one in left)

    def _at(self, at: str | None) -> str:
        return "" if at is None else f"{datetime.fromisoformat(at).astimezone(self._zone):%Y-%m-%d %H:%M}"


def _name(one: Mapping[str, Any] | None) -> str:
    return "" if one is None else _plain(one["name"] or one["id"])


def _plain(text: str | None) -> str:
    """One line, with nothing in it that Markdown would take for a mark."""
    return _MARKS.sub(r"\\\1", " ".join((text or "").split()))

"""A routing decision as sentences that a liaison can read, Chinese and English."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.explain_words import Said
from domain.routing import Candidate, Inputs, PassedOver, Routing
from domain.routing_log import Decided, Step

REASONS = ("ruling", "rule", "steward", "resource", "station")
"""The reasons in the order in which they are asked."""

_NOTHING: dict[str, Said] = {
    "ruling": ("没有适用的联席会议常设决定", "no ruling of a joint meeting applies"),
    "rule": ("派单规则没有命中", "no routing rule matches"),
    "steward": ("该网格没有包联单位", "nobody stewards the grid"),
    "resource": ("没有资源覆盖且有余量的单位", "no unit covers it with capacity left"),
    "station": ("物业服务站不适用", "the property service station does not apply"),
}
_WHY: dict[str, Said] = {
    "no_capacity": ("已满负荷", "no capacity left"),
    "had_it_before": ("此前已承办过", "it had it before"),
    "no_resource": ("资源不覆盖该类诉求", "its resources do not cover the category"),
    "resource_expired": ("资源已到期", "its resource has expired"),
    "resource_not_yet": ("资源尚未生效", "its resource is not valid yet"),
    "not_in_community": ("不是本社区的单位", "no unit of this community"),
    "no_such_unit": ("单位已不存在", "it does not exist any more"),
    "enough_candidates": ("候选单位已够", "there were candidates enough"),
}
_GRADES: dict[str, Said] = {
    "leading": ("领先型", "leading"), "improving": ("提升型", "improving"), "mixed": ("多元型", "mixed"),
    "basic": ("基础型", "basic"),
}  # fmt: skip
_OCCASIONS: dict[str, Said] = {
    "submitted": ("受理时", "on submission"),
    "located": ("定位后", "once located"),
    "handed_off": ("移交时", "on hand-off"),
    "reclassified": ("改变类别后", "once reclassified"),
    "meeting": ("联席会议", "joint meeting"),
    "swapped": ("更换主办单位", "the lead is swapped"),
}
_DETAILS: dict[str, Said] = {
    "wrong_grid": ("不属本网格", "wrong grid"),
    "not_our_duty": ("不属本单位职责", "not our duty"),
    "no_power": ("没有权限", "no power"),
    "no_resources": ("没有资源", "no resources"),
    "other_unit_responsible": ("应由其他单位负责", "another unit is responsible"),
    "accepted": ("已签收", "it accepted"),
    "silence": ("退单期内没有退单", "it was silent in its refusal window"),
    "decision": ("会议决定或重办，不得退单", "by decision, there is nothing to refuse"),
    "nobody_left": ("没有可再派的单位", "no unit is left"),
    "nobody_responsible": ("没有单位承办", "nobody is responsible"),
    "returned_to_same_unit": ("又回到承办过的单位", "it would return to a unit that had it"),
    "refused_too_often": ("退单次数达到上限", "refused too often"),
    "redo_limit": ("重办次数达到上限", "redone too often"),
    "escalated": ("上级会议", "to the meeting above"),
    "overdue": ("逾期", "overdue"),
    "review": ("挂账到期", "its review date has come"),
    "several_units": ("涉及多个单位", "several units"),
    "beyond_power": ("超出权限", "beyond their power"),
    "repeat": ("反复出现", "it keeps coming back"),
    "resident_asks": ("居民要求", "the resident asks for it"),
    "duty": ("值班网格员", "on duty"),
    "substitute": ("替班网格员", "substitute"),
    "least_loaded": ("在办最少", "least loaded"),
    "reassigned": ("改派", "reassigned"),
    "accept_overdue": ("签收逾期", "not accepted in time"),
    "returned": ("退回网格", "returned to the grid"),
    "redo": ("重办", "redo"),
    "required": ("必须完成", "required"),
    "optional": ("可不完成", "not required"),
    "taken_back": ("撤回", "taken back"),
    "leads": ("改为主办", "it leads now"),
    "left_units": ("已不在单位环节", "the demand left the units"),
    "resolved": ("已解决", "resolved"),
    "explained": ("已解释", "explained"),
    "final_reply": ("最终答复", "final reply"),
    "out_of_scope": ("不属受理范围", "out of scope"),
    "duplicate": ("重复诉求", "duplicate"),
    "withdrawn": ("诉求人撤回", "withdrawn"),
    "unconfirmed": ("未获诉求人确认", "unconfirmed"),
}
_STEPS: dict[str, Said] = {
    "offered": ("派给{unit}", "offered to {unit}"),
    "refused": ("{unit}退单（{detail}）", "{unit} refused ({detail})"),
    "bound": ("{unit}为责任单位（{detail}）", "{unit} is responsible ({detail})"),
    "redo": ("重办，仍由{unit}承办", "to be redone by {unit}"),
    "help_asked": ("请{unit}协办（{detail}）", "{unit} is asked to help ({detail})"),
    "help_bound": ("{unit}负责协办（{detail}）", "{unit} is responsible for its part ({detail})"),
    "help_refused": ("{unit}不协办（{detail}）", "{unit} refused to help ({detail})"),
    "help_done": ("{unit}完成协办", "{unit} is done with its part"),
    "help_released": ("{unit}不再协办（{detail}）", "{unit} need not help any more ({detail})"),
    "to_meeting": ("提交联席会议（{detail}）", "sent to the joint meeting ({detail})"),
    "to_worker": ("交网格员办理（{detail}）", "given to the grid worker ({detail})"),
    "resolved": ("报办结（{detail}）", "reported as done ({detail})"),
    "closed": ("结案（{detail}）", "closed ({detail})"),
}


class Words:
    """Sentences with the names that `name` knows: `name(what, id)` for unit, person, community, grid, compound, category,
    meeting. `lang` picks the half of a pair."""

    def __init__(self, name: Callable[[str, str], str], timezone: str, *, english: bool) -> None:
        self._name = name
        self._zone = ZoneInfo(timezone)
        self._en = english

    def say(self, zh: str, en: str) -> str:
        return en if self._en else zh

    def pick(self, table: dict[str, Said], code: str) -> str:
        said = table.get(code)
        return code if said is None else self.say(*said)

    def at(self, instant: datetime) -> str:
        return f"{instant.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def join(self, parts: Iterable[str]) -> str:
        return self.say("；", "; ").join(parts)

    # ---- one decision

    def title(self, n: int, decided: Decided) -> str:
        occasion = self.pick(_OCCASIONS, decided.occasion)
        return self.say(
            f"第 {n} 次派单 {self.at(decided.at)}（{occasion}）", f"Decision {n}, {self.at(decided.at)} ({occasion})"
        )

    def sentences(self, decided: Decided) -> list[str]:
        """What was decided and why, then what was not and why not."""
        if decided.routing is None:
            return [self._by_people(decided)]
        routing = decided.routing
        said = [self._subject(routing.inputs) + self._chosen(routing)]
        said += self._reasons_without(routing)
        if routing.passed_over:
            over = [self._passed(one) for one in routing.passed_over]
            if routing.more:
                over.append(self.say(f"另有 {routing.more} 个单位", f"{routing.more} more"))
            said.append(self.say("未采用：", "Passed over: ") + self.join(over))
        if len(routing.candidates) > 1:
            rest = [self._candidate(one) for one in routing.candidates[1:]]
            said.append(self.say("备选，依次为：", "Next in turn: ") + self.join(rest))
        return [one + self.say("。", ".") for one in said]

    def explanation(self, decided: Decided) -> str:
        return self.say("", " ").join(self.sentences(decided))

    def _subject(self, inputs: Inputs | None) -> str:
        if inputs is None:
            return ""
        place = self._name("community", inputs.community)
        if inputs.compound is not None:
            grade = self.pick(_GRADES, inputs.property_grade or "")
            managed = self.say("有物业", "managed") if inputs.has_property_unit else self.say("无物业", "unmanaged")
            place += self.say("·", ", ") + self._name("compound", inputs.compound)
            place += self.say(f"（{grade}，{managed}）", f" ({grade}, {managed})")
        what = self._name("category", inputs.category)
        return self.say(f"{place}·{what}（{inputs.category}）：", f"{place}, {what} ({inputs.category}): ")

    def _chosen(self, routing: Routing) -> str:
        if not routing.candidates:
            return self.say(
                f"按 {routing.version} 版派单规则没有单位可派，提交联席会议",
                f"under routing rules {routing.version} there is no unit to ask, so it goes to the joint meeting",
            )
        first = routing.candidates[0]
        unit, room = self._name("unit", first.unit), self._room(first)
        liaison = self._name("person", first.liaison)
        return self.say(
            f"{self._because(first.reason, routing.version)}，派给{unit}（联络员 {liaison}）{room}",
            f"{self._because(first.reason, routing.version)}, {unit} (liaison {liaison}) is asked{room}",
        )

    def _because(self, reason: str, version: str) -> str:
        kind, _, id = reason.partition(":")
        table: dict[str, Said] = {
            "ruling": (f"联席会议常设决定 {id} 适用", f"ruling {id} of a joint meeting applies"),
            "rule": (f"{version} 版派单规则 {id} 命中", f"rule {id} of routing rules {version} matches"),
            "steward": ("包联单位的资源覆盖该类诉求", "the steward's resources cover the category"),
            "resource": (
                "资源覆盖该类诉求的单位中空闲比例最大",
                "of the units that cover the category it has the largest share free",
            ),
            "station": ("小区没有物业，由社区物业服务站兜底", "nobody manages the compound: the service station does"),
            "menu": (f"服务菜单 {id} 的提供单位", f"it provides {id} of the service menu"),
            "chosen": ("派单人指定", "whoever handed it off named the unit"),
            "meeting": ("联席会议指定", "the joint meeting named the unit"),
        }
        return self.pick(table, kind)

    def _reasons_without(self, routing: Routing) -> list[str]:
        """The reasons before the one that decided, as far as they led to no unit at all."""
        decided_by = routing.rule.partition(":")[0]
        if routing.inputs is None or decided_by not in (*REASONS, "default"):
            return []  # a person named the unit, or the service menu
        before = REASONS[: REASONS.index(decided_by)] if decided_by in REASONS else REASONS[:-1]
        if routing.inputs.steward is not None:
            before = tuple(reason for reason in before if reason != "steward")
        seen = {one.reason.partition(":")[0] for one in routing.passed_over}
        nothing = [self.pick(_NOTHING, reason) for reason in before if reason not in seen]
        return [self.say("此前各步：", "Before that: ") + self.join(nothing)] if nothing else []

    def _passed(self, one: PassedOver) -> str:
        unit, why = self._name("unit", one.unit), self.pick(_WHY, one.why)
        role = {"steward": ("包联单位", "the steward "), "ruling": ("常设决定所定", "by ruling: "),
                "rule": ("规则所定", "by rule: ")}.get(one.reason.partition(":")[0], ("", ""))  # fmt: skip
        room = self._room(one) if one.why == "no_capacity" else ""
        return self.say(f"{role[0]}{unit}：{why}{room}", f"{role[1]}{unit}: {why}{room}")

    def _candidate(self, one: Candidate) -> str:
        unit = self._name("unit", one.unit)
        kind = one.reason.partition(":")[0]
        names: dict[str, Said] = {
            "ruling": ("常设决定", "ruling"), "rule": ("规则", "rule"), "steward": ("包联", "steward"),
            "resource": ("资源匹配", "resource"), "station": ("物业服务站", "service station"),
        }  # fmt: skip
        score = self.say(f"，评分 {one.score:g}", f", score {one.score:g}") if kind == "resource" else ""
        return self.say(
            f"{unit}（{self.pick(names, kind)}{score}）{self._room(one)}",
            f"{unit} ({self.pick(names, kind)}{score}){self._room(one)}",
        )

    def _room(self, one: Candidate | PassedOver) -> str:
        if one.load is None:
            return ""
        if one.capacity is None:
            return self.say(f"，在办 {one.load} 件", f", {one.load} in hand")
        over = one.load >= one.capacity and isinstance(one, Candidate)
        full = self.say("，已满负荷但仍由其负责", ", full but responsible all the same") if over else ""
        zh, en = (
            f"，在办 {one.load} 件（该类容量 {one.capacity} 件）",
            f", {one.load} in hand (room for {one.capacity})",
        )
        return self.say(zh, en) + full

    def _by_people(self, decided: Decided) -> str:
        assert decided.lead is not None
        unit, by = self._name("unit", decided.lead.unit), self._name("person", decided.by)
        if decided.meeting is None:
            former = self._name("unit", decided.former or "")
            return self.say(f"{by}把主办单位由{former}改为{unit}。", f"{by} put {unit} in the place of {former}.")
        meeting, chair = self._name("meeting", decided.meeting), by
        return self.say(
            f"{meeting}决定由{unit}承办（主持：{chair}）。", f"{meeting} decided that {unit} takes it (chair: {chair})."
        )

    # ---- what came of it

    def step(self, step: Step) -> str:
        unit = self._name("unit", step.unit) if step.unit else ""
        detail = self.pick(_DETAILS, step.detail) if step.detail else ""
        return self.pick(_STEPS, step.what).format(unit=unit, detail=detail)

    def text(self, head: str, decisions: Sequence[Decided]) -> str:
        """All of it, to read from top to bottom."""
        lines = [head]
        for n, decided in enumerate(decisions, 1):
            lines += [self.title(n, decided), *(f"  {sentence}" for sentence in self.sentences(decided))]
            if decided.then:
                lines.append("  " + self.say("后来：", "Then:"))
                lines += [f"    {self.at(step.at)} {self.step(step)}" for step in decided.then]
        if not decisions:
            lines.append(self.say("没有派给过单位。", "No unit was ever asked."))
        return "\n".join(lines) + "\n"

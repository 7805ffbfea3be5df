"""A demand in the words of the person who asked for it: where it stands, what comes next, what has happened.

What happens inside the house — who refused, notes, routing, reminders — is not told. That a promise to the reporter was
broken is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.demand import Demand
from domain.vocabulary import ClockName, Outcome, Role, Stage

Words = tuple[str, str]
"""Chinese, English."""
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Next:
    """What is to happen, until when; `late`: the promised instant has passed. `due_at` is None while it stands still."""

    words: Words
    due_at: datetime | None
    late: bool = False


ENDED: Mapping[Outcome, Words] = {
    Outcome.RESOLVED: ("已结案：已解决", "Closed: solved"),
    Outcome.EXPLAINED: ("已结案：已解释说明", "Closed: explained"),
    Outcome.FINAL_REPLY: ("已结案：已作最终答复", "Closed with a final reply"),
    Outcome.OUT_OF_SCOPE: ("不属于本街道受理范围，已告知办理途径", "Not a matter of this subdistrict; you were told where to go"),
    Outcome.DUPLICATE: ("与您的另一件诉求重复，在那一件中办理", "The same as another one of yours, and handled there"),
    Outcome.WITHDRAWN: ("您已撤回", "Withdrawn by you"),
    Outcome.UNCONFIRMED: ("已办理并结案，未收到您的评价", "Handled and closed; we had no answer from you"),
    Outcome.UNREACHABLE: ("已办理并结案，回访未能联系上您", "Handled and closed; we could not reach you"),
}  # fmt: skip

_STAGES: Mapping[Stage, Words] = {
    Stage.INTAKE: ("已受理，正在确定地点和承办人", "Received; the place and who handles it are being found"),
    Stage.GRID: ("网格员办理中", "With the grid worker"),
    Stage.UNIT: ("单位办理中", "With a unit that handles it"),
    Stage.MEETING: ("等待联席会议决定", "Waiting for the joint meeting to decide"),
    Stage.FEEDBACK: ("已办理，请您评价", "Handled; please say how it was"),
}
_NEXT: Mapping[str, Words] = {
    ClockName.LOCATE: ("确定地点", "the place is found"),
    ClockName.ACCEPT: ("承办人签收", "somebody accepts it"),
    ClockName.CONTACT: ("与您联系", "you are contacted"),
    ClockName.RESOLVE: ("办结", "it is done"),
    ClockName.PAUSE: ("继续办理", "work goes on"),
    ClockName.DECIDE: ("联席会议作出决定", "the joint meeting decides"),
    ClockName.APPROVE: ("最终答复审定", "the final reply is approved"),
    ClockName.REVIEW: ("到期复议", "it is looked at again"),
    ClockName.FOLLOW_UP: ("回访您", "you are asked how it was"),
    ClockName.CALL_BACK: ("再次请您评价", "you are asked again, or it is closed"),
    ClockName.REOPEN: ("如未解决，可申请重新办理", "if it is not solved, you can have it reopened"),
}
"""The clocks that say something to a reporter; those of units among themselves are not here."""
WAITS_FOR: Mapping[str, Words] = {
    "awaiting_reporter": ("等待您补充情况或材料", "Something is needed from you"),
    "awaiting_access": ("等待能够入户或进场", "The place has to be opened first"),
    "awaiting_material": ("等待材料或配件到货", "Material has to arrive first"),
    "ownership_dispute": ("权属正在认定", "Whose it is has to be settled first"),
    "weather": ("等待天气条件允许", "The weather does not allow it yet"),
}
"""Why the clock stands still (the reasons of `request_info`)."""
DUTIES: Mapping[Role, Words] = {
    Role.GRID_WORKER: ("网格员", "grid worker"),
    Role.UNIT_LIAISON: ("单位联络员", "the unit's liaison"),
    Role.OPERATOR: ("受理回访专员", "intake and call-back"),
    Role.COMMUNITY_SECRETARY: ("社区书记", "community secretary"),
    Role.CHAIR: ("轮值主席", "rotating chair"),
    Role.SUPERVISOR: ("街道督办", "supervisor"),
}
"""What somebody is who owes a reporter the next step."""
_FIRST_ASKED: Words = ("请您评价", "you are asked how it was")


def stage_words(d: Demand) -> Words:
    if d.stage is Stage.CLOSED:
        return ENDED[d.outcome or Outcome.UNCONFIRMED]
    if d.follows:
        return "与同一事项合并办理", "Handled together with the same matter"
    if d.info_reason is not None:
        return "等待补充条件，已暂停计时", "Waiting for something; the clock stands still"
    if d.shelved:
        return "联席会议决定暂缓办理，到期复议", "Put aside by the joint meeting until its review"
    if d.awaiting_verification:
        return "已办理，正在核查", "Handled; somebody else is checking it"
    return _STAGES[d.stage]


def next_of(d: Demand) -> Next | None:
    """The next promised instant, or the earliest one that was missed where none lies ahead; None where nothing follows."""
    running = [
        (clock.due_at, name, clock.overdue) for name, clock in d.clocks.items() if clock.running and name in _NEXT
    ]
    if d.sealed or not running:
        return None
    ahead = [one for one in running if not one[2]]
    due_at, name, late = min(ahead or running, key=lambda one: one[0])
    first_time = name == ClockName.CALL_BACK and not d.asked
    return Next(_FIRST_ASKED if first_time else _NEXT[name], due_at, late)


@dataclass(frozen=True)
class Told:
    """An entry of the history; `unit` is the id of the unit it speaks of, whose name belongs where `{unit}` stands."""

    at: datetime
    words: Words
    unit: str | None = None


def _always(zh: str, en: str) -> Callable[[Data], Words | None]:
    return lambda data: (zh, en)


def _broken(data: Data) -> Words | None:
    missed = {
        ClockName.CONTACT: ("未能在承诺期限内与您联系", "You were not contacted within the promised time"),
        ClockName.RESOLVE: ("未能在承诺期限内办结", "It was not done within the promised time"),
    }
    return missed.get(data["clock"])


def _decided(data: Data) -> Words | None:
    if data["kind"] == "project":
        return "联席会议已列入项目清单", "The joint meeting made it a project"
    return "联席会议已作出决定", "The joint meeting decided"


def _verified(data: Data) -> Words | None:
    return ("办理结果已核查", "The result was checked") if data["ok"] else None


def _extended(data: Data) -> Words | None:
    return ("办理期限已延长", "More time was given") if data["approved"] else None


def _asked(data: Data) -> Words | None:
    by_person = {
        "phone": ("已安排电话回访", "A call was arranged"),
        "visit": ("已安排上门回访", "A visit was arranged"),
    }
    return by_person.get(data["channel"], ("已请您评价", "You were asked how it was"))


def _taken_over(data: Data) -> Words | None:
    return "已由主管督办", "A supervisor has taken it over"


_TELLS: Mapping[str, Callable[[Data], Words | None]] = {
    "demand_submitted": _always("已收到您的诉求", "Your demand was received"),
    "worker_assigned": _always("已交网格员办理", "Given to a grid worker"),
    "unit_assigned": _always("已交{unit}办理", "Given to {unit}"),
    "accepted": _always("承办人已签收", "Whoever handles it has accepted it"),
    "reporter_contacted": _always("承办人已与您联系", "You were contacted"),
    "info_requested": _always("等待补充条件，暂停计时", "Something is awaited; the clock stands still"),
    "info_received": _always("继续办理", "Work goes on"),
    "extension_decided": _extended,
    "sent_to_meeting": _always("已提交联席会议", "Put before the joint meeting"),
    "meeting_decided": _decided,
    "shelved": _always("暂缓办理，到期复议", "Put aside until its review"),
    "resolved": _always("已办理并答复", "Handled, with a reply"),
    "verified": _verified,
    "reporter_asked": _asked,
    "feedback_given": _always("您已评价", "You said how it was"),
    "redo_ordered": _always("重新办理", "It is being handled again"),
    "reopened": _always("您申请重新办理", "You had it reopened"),
    "urged": _always("已催办", "It was urged"),
    "taken_over": _taken_over,
    "merged": _always("与同一事项合并办理", "Handled together with the same matter"),
    "unmerged": _always("不再合并，单独办理", "Handled by itself again"),
    "clock_breached": _broken,
    "closed": lambda data: ENDED[Outcome(data["outcome"])],
    "sealed": _always("申请重新办理的期限已过", "It cannot be reopened any more"),
}
_OF_THEIR_OWN: Mapping[str, Words] = {
    "note_added": ("您补充了说明", "You added something"),
    "files_attached": ("您补充了照片或文件", "You added a photo or a document"),
}


def told(type: str, at: datetime, data: Data, *, own: bool) -> Told | None:
    """An event of the log as its reporter reads it, `own` where the reporter did it; None for what stays inside."""
    words = _OF_THEIR_OWN.get(type) if own else None
    if words is None and type in _TELLS:
        words = _TELLS[type](data)
    if words is None:
        return None
    return Told(at, words, unit=data["lead"]["unit"] if type == "unit_assigned" else None)

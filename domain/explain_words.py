"""The sentences of `domain/explain.py`, Chinese and English."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.calendar import ZERO, Table
from domain.clock_log import Cause, Replan
from domain.reasons import UNIT_WORDS, WORDS, Line
from domain.tasks import ClockKey
from domain.vocabulary import ClockName
from domain.worktime import Budget

Said = tuple[str, str]
"""The same in Chinese and in English."""

FROM_RECEIPT = frozenset({ClockName.LOCATE, ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE})
"""The clocks that start with the demand; the others start later, and their first day is not the day of receipt."""

CLOCKS: dict[ClockName, Said] = {
    ClockName.LOCATE: ("定位", "locate"),
    ClockName.ACCEPT: ("签收", "accept"),
    ClockName.CONTACT: ("联系群众", "contact"),
    ClockName.RESOLVE: ("办结", "resolve"),
    ClockName.REFUSAL_WINDOW: ("退单期", "refusal window"),
    ClockName.UNIT_DUE: ("单位办理", "unit's task"),
    ClockName.PAUSE: ("暂停期", "pause"),
    ClockName.DECIDE: ("会议决定", "decision of the meeting"),
    ClockName.FOLLOW_UP: ("回访", "follow-up"),
    ClockName.CALL_BACK: ("再次联系", "next call-back"),
    ClockName.REVIEW: ("挂账复核", "review"),
    ClockName.REOPEN: ("重启期", "reopen window"),
}
_OF_CO_UNIT = {"co_window": ("协办退单期", "co-unit's refusal window"), "co_due": ("协办办理", "co-unit's part")}


def clock_words(key: ClockKey) -> Said:
    """The clock's name; a co-unit's with the unit it belongs to."""
    kind, _, unit = str(key).partition(":")
    if not unit:
        return CLOCKS[ClockName(key)]
    zh, en = _OF_CO_UNIT[kind]
    return f"{zh}（{unit}）", f"{en} ({unit})"


REASONS: dict[str, Said] = {
    "awaiting_reporter": ("等待诉求人答复", "waiting for the reporter"),
    "awaiting_access": ("等待入户", "waiting for access"),
    "awaiting_material": ("等待材料", "waiting for material"),
    "ownership_dispute": ("权属争议", "ownership dispute"),
    "weather": ("天气原因", "weather"),
    "shelved": ("挂账", "shelved"),
    "not_verified": ("核查未通过", "not verified"),
    "not_solved": ("诉求人反映未解决", "the reporter says it is not solved"),
    "dissatisfied": ("诉求人不满意", "the reporter is dissatisfied"),
    "reopened": ("诉求人申请重启", "reopened by the reporter"),
    "complex_works": ("工程复杂", "complex works"),
    "procurement": ("采购", "procurement"),
    "third_party": ("依赖第三方", "a third party"),
    "season": ("季节原因", "season"),
    "approval_pending": ("等待审批", "approval pending"),
}
PROVISIONAL: Said = (
    "注意：期间有日期的放假安排尚未公布，公布后将重新计算",
    "Note: holidays of some of these days are not published; it is recomputed when they are",
)


def not_receipt(line: Line) -> Line:
    """A line whose first day is not counted, of a count that did not begin with the receipt."""
    if line.kind != "start_day":
        return line
    zh, en = WORDS["start_day"]
    return line.model_copy(
        update={
            "text_zh": line.text_zh.replace(zh, "当日，次日起算"),
            "text_en": line.text_en.replace(en, "that day, counting starts on the next working day"),
        }
    )


def _reason(code: str) -> Said:
    return REASONS.get(code, (code, code))


def _amount(budget: Budget) -> Said:
    zh, en = UNIT_WORDS[budget.unit]
    return f"{budget.amount:g} {zh}", f"{budget.amount:g} {en.removesuffix('s') if budget.amount == 1 else en}"


def spoken(amount: timedelta) -> Said:
    """Hours and minutes; seconds only where that is all."""
    seconds = int(amount.total_seconds())
    if 0 < seconds < 60:
        return f"{seconds} 秒", f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    parts = [(hours, "小时", "h"), (minutes, "分", "min")]
    shown = [p for p in parts if p[0]] or parts[1:]
    return " ".join(f"{n} {zh}" for n, zh, _ in shown), " ".join(f"{n} {en}" for n, _, en in shown)


def _own(amount: timedelta, *, plain: bool) -> Said:
    zh, en = spoken(amount)
    return (zh, en) if plain else (f"{zh}工作时间", f"{en} of working time")


class Words:
    """Sentences; instants by the wall clock of `table`, to the minute."""

    def __init__(self, table: Table) -> None:
        self._local = table.local

    def at(self, instant: datetime) -> str:
        return f"{self._local(instant):%Y-%m-%d %H:%M}"

    def budget(self, budget: Budget, start: datetime, due: datetime) -> Said:
        zh, en = _amount(budget)
        begins, ends = self.at(start), self.at(due)
        return f"承诺 {zh}，自 {begins} 起算，到期 {ends}", f"Promised {en} from {begins}: due {ends}"

    def fixed(self, due: datetime, *, by_meeting: bool) -> Said:
        zh, en = ("联席会议设定", "Set by the joint meeting") if by_meeting else ("开始时设定", "Set when it started")
        return f"{zh}到期 {self.at(due)}", f"{en}: due {self.at(due)}"

    def pause(
        self, cause: Cause | None, begin: datetime, end: datetime, before: datetime, after: datetime,
        stood: timedelta, *, plain: bool,
    ) -> Said:  # fmt: skip
        zh, en = _own(stood, plain=plain)
        why_zh, why_en = _reason(cause.reason) if cause is not None and cause.reason else ("", "")
        span = f"{self.at(begin)} – {self.at(end)}"
        if cause is not None and cause.kind == "redo":
            head_zh, head_en = f"曾停止计时，因重办恢复 {span}", f"Stopped, then taken up again {span}"
        else:
            head_zh, head_en = f"暂停 {span}", f"Paused {span}"
        head_zh += f"（{why_zh}）" if why_zh else ""
        head_en += f" ({why_en})" if why_en else ""
        if stood <= ZERO:
            return f"{head_zh}：其间没有工作时间，到期不变", f"{head_en}: no working time in it, due stays"
        move_zh, move_en = self._moves(before, after)
        return f"{head_zh}：其间 {zh}顺延，{move_zh}", f"{head_en}: {move_en}, by the {en} in it"

    def extension(self, more: Budget, cause: Cause | None, before: datetime, after: datetime) -> Said:
        zh, en = _amount(more)
        head_zh, head_en = f"延期 {zh}", f"Extended by {en}"
        if cause is not None:
            basis_zh, basis_en = _reason(cause.reason)
            head_zh += f"（依据：{basis_zh}；批准：{cause.by}）"
            head_en += f" (basis: {basis_en}; approved by {cause.by})"
        move_zh, move_en = self._moves(before, after)
        return f"{head_zh}：{move_zh}", f"{head_en}: {move_en}"

    def decision(self, cause: Cause | None, before: datetime, after: datetime) -> Said:
        move_zh, move_en = self._moves(before, after)
        if cause is None:
            return f"另行设定到期：{move_zh}", f"Set anew: {move_en}"
        if cause.kind == "extension":
            basis_zh, basis_en = _reason(cause.reason)
            return (
                f"延期（依据：{basis_zh}；批准：{cause.by}）：{move_zh}",
                f"Extended (basis: {basis_en}; approved by {cause.by}): {move_en}",
            )
        return (
            f"联席会议 {cause.reason} 决定（主持：{cause.by}）：{move_zh}",
            f"Decided by the joint meeting {cause.reason} (chair: {cause.by}): {move_en}",
        )

    def replanned(self, replan: Replan) -> Said:
        zh, en = ("改变类别", "another category") if replan.by == "reclassified" else ("新日历", "a new calendar")
        move_zh, move_en = self._moves(replan.due_before, replan.due_after)
        when = self.at(replan.at)
        return (
            f"{when} 因{zh}从起算时刻重新计算：{move_zh}；以下按此后的类别和日历说明",
            f"Reckoned anew on {when} for {en}: {move_en}; what follows is under the class and calendar since then",
        )

    def gap(self, reached: datetime, due: datetime) -> Said:
        by_steps, recorded = self.at(reached), self.at(due)
        return (
            f"以上推算得 {by_steps}，记录的到期为 {recorded}：现有记录不足以说明其间的差别，以记录为准",
            f"These steps arrive at {by_steps}, but the recorded due instant is {recorded}: what is on record does not "
            "explain the difference; the recorded one holds",
        )

    def open_pause(self, cause: Cause | None, since: datetime) -> Said:
        zh, en = _reason(cause.reason) if cause is not None and cause.reason else ("", "")
        zh, en = (f"（{zh}）" if zh else ""), (f" ({en})" if en else "")
        when = self.at(since)
        return f"自 {when} 起暂停{zh}：恢复之前到期未知", f"Paused since {when}{en}: due is unknown until it resumes"

    def broken(self, at: datetime) -> Said:
        return f"已于 {self.at(at)} 逾期，仍在计时", f"Broken at {self.at(at)}, still running"

    def ended(self, at: datetime) -> Said:
        return f"已于 {self.at(at)} 结束", f"Ended {self.at(at)}"

    def kept(self, at: datetime, early: timedelta, *, plain: bool) -> Said:
        zh, en = _own(max(early, ZERO), plain=plain)
        return f"已于 {self.at(at)} 停止：按时，尚余 {zh}", f"Stopped {self.at(at)}: kept, with {en} left"

    def missed(self, at: datetime, late: timedelta, broken_at: datetime, *, plain: bool) -> Said:
        if late <= ZERO:
            return (
                f"已于 {self.at(at)} 停止：未按时，此前曾于 {self.at(broken_at)} 逾期",
                f"Stopped {self.at(at)}: not kept, it was broken at {self.at(broken_at)}",
            )
        zh, en = _own(late, plain=plain)
        return f"已于 {self.at(at)} 停止：逾期 {zh}", f"Stopped {self.at(at)}: late by {en}"

    def _moves(self, before: datetime, after: datetime) -> Said:
        if before == after:
            return f"到期仍为 {self.at(after)}", f"due stays {self.at(after)}"
        return (
            f"到期由 {self.at(before)} 改为 {self.at(after)}",
            f"due moves from {self.at(before)} to {self.at(after)}",
        )

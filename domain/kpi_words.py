"""What each figure is, in words to print beside it; `{…}` is filled in from the definition."""

from __future__ import annotations

from typing import NamedTuple

from domain.kpi_definition import Definition


class Words(NamedTuple):
    """`month` says to which period a case belongs."""

    zh: str
    en: str
    numerator_zh: str
    numerator_en: str
    denominator_zh: str
    denominator_en: str
    month_zh: str
    month_en: str


_CLOCKS = {
    "locate": ("定位", "locating"),
    "accept": ("签收", "accepting"),
    "contact": ("联系群众", "contacting"),
    "resolve": ("办结", "resolving"),
    "refusal_window": ("退单期内答复", "answering within the refusal window"),
    "unit_due": ("主办单位办理", "the lead unit's task"),
    "co_window": ("协办单位答复", "co-units' answers"),
    "co_due": ("协办单位办理", "co-units' tasks"),
    "decide": ("会议决定", "deciding in a meeting"),
    "approve": ("最终答复审批", "approving final replies"),
    "follow_up": ("回访", "follow-up"),
}

_NONE = ("不设分母", "none: a count")

_WORDS: dict[str, Words] = {
    "response": Words(
        "响应率", "Response rate",
        "按时签收并按时联系群众的诉求{no_contact_zh}",
        "demands accepted and the resident contacted, both in time{no_contact_en}",
        "签收和联系群众的时限已到的诉求（已上会而无需签收的只看联系群众；随主件一并办结的重复件不计）",
        "demands whose time to accept and to contact has come "
        "(what a meeting took needs no accepting; not duplicates settled with the demand they follow)",
        "两个时限中较晚者到期的月份", "the month in which the later of the two is due",
    ),
    "resolution": Words(
        "解决率", "Resolution rate",
        "回访答“解决”计 1，“部分解决”计 {partly}", "answers: solved counts 1, partly solved {partly}",
        "每次得到回答的回访；重办后再答的另计；未能回访到的不计，列在“剔除”中（unconfirmed）",
        "every answer, again after a redo; nobody reached is no answer and stands beside as `unconfirmed`",
        "回答的月份", "the month of the answer",
    ),
    "satisfaction": Words(
        "满意率", "Satisfaction rate",
        "回访答{satisfied_zh}的", "answers: {satisfied_en}",
        "每次得到回答的回访；重办后再答的另计；未能回访到的不计，列在“剔除”中（unconfirmed）",
        "every answer, again after a redo; nobody reached is no answer and stands beside as `unconfirmed`",
        "回答的月份", "the month of the answer",
    ),
    "composite": Words(
        "综合得分", "Composite",
        "{response} × 响应率 + {resolution} × 解决率 + {satisfaction} × 满意率",
        "{response} × response + {resolution} × resolution + {satisfaction} × satisfaction",
        "无；三率缺一则不计算", "none; not computed while one of the three has no case",
        "同三率", "as of the three rates",
    ),
    "first_dispatch": Words(
        "首次派准率", "First dispatch right",
        "首次派给的网格或单位接下的诉求（签收，或退单期满未退单）", "demands that the first grid or unit took on "
        "(accepted, or let its window pass)",
        "首次派单已有答复的诉求：接下、退单或被更换主办", "demands whose first dispatch was answered: "
        "taken on, refused, or the lead swapped",
        "答复的月份", "the month of the answer to the dispatch",
    ),
    "refusal": Words(
        "退单率", "Refusal rate",
        "退单的", "refused",
        "派给网格、主办单位和协办单位且已有答复的任务；会议决定的任务不能退，不计",
        "tasks offered to grids, lead units and co-units that were answered; what a meeting assigned cannot be refused",
        "答复的月份", "the month of the answer",
    ),
    "ping_pong": Words(
        "推诿指数", "Ping-pong index",
        "曾回到以前的承办方（甲→乙→甲，或退单后又派回）的", "those that came back to somebody who had them before "
        "(A→B→A, or given again to who refused)",
        "结案的诉求，每次结案计一次", "closings of demands that were given to somebody",
        "结案的月份", "the month of the closing",
    ),
    "redo": Words(
        "重办率", "Redo rate",
        "核实或回访后要求重办的", "sent back after verification or the answer",
        "办结后已有结论的：重办或结案", "resolutions that came to an end: done again, or closed",
        "结论的月份", "the month of that end",
    ),
    "reopen": Words(
        "重开率", "Reopen rate",
        "在期限内重开的", "reopened within the window",
        "可重开且期限已结束的结案：重开或期满", "closings whose reopen window ended: reopened, or over",
        "重开或期满的月份", "the month in which the window ended",
    ),
    "on_the_spot": Words(
        "当场办结率", "Resolved on the spot",
        "受理当日在网格内办结、未派单位也未上会的（含巡查随手办）", "resolved on the day they were opened, within the grid "
        "(patrol and fix among them)",
        "首次办结的诉求；随主件办结的重复件不计", "demands resolved for the first time; not duplicates that follow another",
        "首次办结的月份", "the month of the first resolution",
    ),
    "meeting_yield": Words(
        "会议议决率", "Meeting yield",
        "有着落的决定（{settles}）", "decisions that settle the item ({settles})",
        "离开议程的事项：作出决定，或因撤回等离开", "items that left the agenda: decided, or gone in another way",
        "离开议程的月份", "the month in which the item left",
    ),
    "opened": Words(
        "受理数", "Opened", "受理的诉求", "demands submitted", *_NONE, "受理的月份", "the month of intake",
    ),
    "closed": Words(
        "结案数", "Closed", "结案的诉求（期内又重开的不计）", "demands closed (not those reopened by the end of the period)",
        *_NONE, "结案的月份", "the month of the closing",
    ),
    "load": Words(
        "承办量", "Load", "派给网格、主办单位、协办单位的任务；同一承办方重办不另计",
        "tasks given to grids, lead units and co-units; doing one again is no new one",
        *_NONE, "派出的月份", "the month in which it was given",
    ),
    "open_tasks": Words(
        "期末在办", "Open at the end", "期末仍在网格、主办或协办单位手中的任务（按日、按月分组时为各日、各月末）",
        "tasks in the hands of a grid, a lead unit or a co-unit at the end of the period "
        "(by day or month: at the end of each)",
        *_NONE, "期末", "the end of the period",
    ),
    "handled_per_day": Words(
        "日均办结", "Handled per working day", "办结的任务：主办办结、协办完成；重办后再办结的另计，随主件办结的重复件不计",
        "tasks done: resolved by who had it, or a co-unit's part done; again after a redo; not duplicates that follow another",
        "期内的工作日数（不论分组）", "working days of the period, whatever the grouping",
        "办结的月份", "the month in which it was done",
    ),
    "capacity_used": Words(
        "承载率", "Share of capacity used", "期末仍在手中的任务", "tasks in hand at the end of the period",
        "该单位期末有效资源的容量之和；网格员为同时在办上限。只按单位或人员分组时计算",
        "the capacity of the unit's resources valid at the end; of a grid worker the most open at a time. "
        "Only by unit or worker",
        "期末", "the end of the period",
    ),
}  # fmt: skip

COUNTS = frozenset({"opened", "closed", "load", "open_tasks"})
"""Figures without a denominator."""
LOADS = ("open_tasks", "handled_per_day", "capacity_used")
"""Figures whose parts do not add up over time, or whose denominator is no number of cases. A definition may lack them."""
BETTER_LOW = frozenset({"refusal", "ping_pong", "redo", "reopen"})
"""Rates of which less is better."""

_SATISFIED = {
    "satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意", "very_dissatisfied": "非常不满意",
}  # fmt: skip

AS_OF_ZH = (
    "数据截至所查期末：期末以后发生的事不改变该期数字，经批准的剔除除外，剔除列在旁边。每项按所指之事当时的地点、承办方和分类计："
    "任务按派出时，时限按完成或超时时，办结、回答、上会和结案按其发生时；响应率按签收时限结束时；受理数按期末所在。"
)
AS_OF_EN = (
    "As of the end of the period: nothing that happens later changes it, but for approved exclusions, which stand beside. "
    "Each case counts under the place, hands and category that what it speaks of had: a task when it was given, a clock when "
    "it was kept or missed, a resolution, an answer, a visit to a meeting or a closing when it came about; a response when "
    "the time to accept had ended; an intake where it lay at the end of the period."
)


def figures_of(definition: Definition) -> tuple[str, ...]:
    """Every figure of a definition, in the order in which they are shown."""
    ids = [figure for figure in _WORDS if figure not in LOADS or figure in definition.loads]
    after = ids.index("composite") + 1
    return (*ids[:after], *(f"on_time_{clock}" for clock in definition.clocks), *ids[after:])


def rates_of(definition: Definition) -> tuple[str, ...]:
    """Those that have cases, and from which one can be left out."""
    return tuple(f for f in figures_of(definition) if f not in COUNTS and f not in LOADS and f != "composite")


def words_of(figure: str, definition: Definition) -> Words:
    """The definition of one figure in both languages, with this definition's numbers in it."""
    template = _WORDS.get(figure) or _on_time(figure.removeprefix("on_time_"))
    d, weights = definition, definition.weights
    patrol = bool(d.contact_not_needed)
    channels = ", ".join(d.contact_not_needed)
    facts = {
        "partly": f"{d.partly.normalize():f}",
        "response": f"{weights.response:.2f}",
        "resolution": f"{weights.resolution:.2f}",
        "satisfaction": f"{weights.satisfaction:.2f}",
        "satisfied_zh": "、".join(f"“{_SATISFIED[s]}”" for s in d.satisfied),
        "satisfied_en": ", ".join(s.replace("_", " ") for s in d.satisfied),
        "settles": ", ".join(d.settles),
        "no_contact_zh": f"（渠道为 {channels} 的无需联系）" if patrol else "",
        "no_contact_en": f" (no contact is needed for channel {channels})" if patrol else "",
    }
    return Words(*(text.format(**facts) for text in template))


def excluded_words(definition: Definition) -> tuple[str, str]:
    listed = ", ".join(definition.excluded) or "–"
    return (
        f"期末时以下列结果结案的诉求不计入各率，数目列在旁边：{listed}。经批准从某月某率中剔除的诉求按依据列在旁边。"
        "受理数、结案数和负荷不作剔除。",
        f"Demands that had ended as one of these by the end of the period are in no rate and stand beside it: {listed}. "
        "So do those whose exclusion from a rate of the month was approved, by its basis. Counts and load leave nothing out.",
    )


def _on_time(clock: str) -> Words:
    zh, en = _CLOCKS[clock]
    return Words(
        f"{zh}按时率", f"On time: {en}",
        "在时限内完成的", "done in time",
        "已完成的和已超时的；转手、上会而停止的时限不计", "done, or missed; "
        "a clock that stopped because the demand changed hands is neither",
        "完成或超时的月份", "the month in which it was done or missed",
    )  # fmt: skip

"""What happens in a demo's first life: what residents ask for, and how far each demand has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Body = dict[str, Any]
Door = Literal["resident", "hotline", "patrol"]
Where = Literal["compound", "point", "grid", "nowhere"]


@dataclass(frozen=True)
class Story:
    """`course` names the steps in order, each a key of STEPS or DECISIONS; one that nobody may
    take is left out."""

    text: str
    category: str
    course: tuple[str, ...] = ()
    door: Door = "resident"
    where: Where = "compound"
    confidential: bool = False


# Step -> the action it sends. Words stand here because they are part of the story, not of the product.
STEPS: Mapping[str, Callable[[], Body]] = {
    "accept": lambda: {"type": "accept"},
    "contact": lambda: {"type": "contact", "note": "已电话联系诉求人，约好上门时间。"},
    "note": lambda: {"type": "note", "note": "现场看过，情况属实。"},
    "resolve": lambda: {"type": "resolve", "reply": "已处理完毕，感谢您的反映。", "note": "现场照片已存。"},
    "explain": lambda: {"type": "resolve", "reply": "已当面说明政策和办理办法。", "outcome": "explained"},
    "hand_off": lambda: {"type": "hand_off", "note": "网格无力解决，请成员单位办理。"},
    "refuse": lambda: {"type": "refuse", "basis": "not_our_duty", "note": "不在本单位职责范围。"},
    "pause": lambda: {"type": "request_info", "reason": "awaiting_access", "note": "住户不在家，等约定时间入户。"},
    "resume": lambda: {"type": "resume"},
    "extend": lambda: {"type": "extend", "working_days": 3, "basis": "procurement", "note": "配件采购中。"},
    "grant": lambda: {"type": "decide_extension", "approved": True},
    "escalate": lambda: {"type": "escalate", "reason": "several_units", "note": "涉及几家单位，请联席会议研究。"},
    "urge": lambda: {"type": "urge", "note": "请尽快处理。"},
    "verify": lambda: {"type": "verify", "ok": True, "note": "现场核实已办结。"},
    "unreached": lambda: {"type": "call_back", "channel": "phone", "result": "no_answer"},
    "happy": lambda: {"type": "confirm", "contacted": True, "solved": "yes", "satisfied": "satisfied"},
    "content": lambda: {"type": "confirm", "contacted": True, "solved": "yes", "satisfied": "basically_satisfied"},
    "unhappy": lambda: {"type": "confirm", "contacted": True, "solved": "no", "satisfied": "dissatisfied"},
    "withdraw": lambda: {"type": "withdraw", "note": "问题已自行解决。"},
}

# Step -> the decision a chair takes on it in the joint meeting.
DECISIONS: Mapping[str, Callable[[], Body]] = {
    "return": lambda: {"kind": "return_to_grid", "minute": "由网格牵头，相关单位配合。"},
    "shelve": lambda: {
        "kind": "shelve",
        "review_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds"),
        "minute": "列入老旧小区改造计划，一个月后再议。",
    },
}

STORIES: tuple[Story, ...] = (
    Story("单元门口的垃圾桶满了三天没人清运，味道很大。", "010101"),
    Story("楼道里堆了旧家具和纸箱，上下楼都困难。", "100101", ("accept",)),
    Story("晚上广场舞音响声音太大，孩子没法写作业。", "050102", ("accept", "contact"), door="hotline"),
    Story("有人从窗户拉线下楼给电动车充电，担心起火。", "100103", ("accept", "contact", "note"), door="patrol"),
    Story("楼上卫生间漏水，我家天花板都湿了。", "110101", ("accept", "contact", "pause")),
    Story("小区健身器材螺丝松了，老人用着危险。", "030201", ("accept", "extend"), where="point"),
    Story("大门口有车乱停，挡住了出口。", "070101", ("accept", "resolve", "happy"), where="point"),
    Story(
        "独居老人腿脚不便，希望有人定期上门看看。", "080101", ("accept", "contact", "resolve", "happy"), door="hotline"
    ),
    Story("想咨询老年证怎么办理，需要什么材料。", "120101", ("accept", "explain", "content"), door="hotline"),
    Story("楼上每天半夜拖椅子，说过几次都没用。", "110102", ("accept", "contact", "resolve", "unhappy")),
    Story("邻居在公共过道放鞋柜，还装了隔断。", "110103", ("accept", "contact", "resolve")),
    Story("残疾人坡道被花坛挡住，轮椅过不去。", "080302", ("accept", "hand_off"), door="patrol", where="grid"),
    Story("主路上的路灯有四盏不亮，晚上很黑。", "030101", (), where="point"),
    Story("人行道地砖破损，老人昨天在这里绊倒。", "030102", ("accept", "contact"), where="point"),
    Story("下水道堵塞返水，一楼住户家里进水。", "040102", ("accept", "contact", "resolve", "verify", "happy")),
    Story("小区大树的树枝伸进四楼阳台，遮光还招虫。", "010301", ("accept", "extend", "grant"), door="hotline"),
    Story("整栋楼水压很低，六楼下午没有水用。", "040101", ("refuse",), door="hotline"),
    Story("单元门禁坏了一个月，谁都能进来。", "020402", ("accept", "escalate")),
    Story("屋顶漏水，每逢下雨顶楼几户都要接水。", "020401", ("accept", "contact", "escalate", "shelve")),
    Story("希望启动维修资金更换老化的水管。", "020202", (), door="hotline"),
    Story("楼栋居民想加装电梯，有两户不同意。", "030303", ("return", "accept", "contact"), confidential=True),
    Story(
        "巡查发现活动室桌椅损坏，当场修好。", "090201", ("accept", "resolve", "unreached"), door="patrol", where="grid"
    ),
    Story("路边烧烤摊油烟熏得开不了窗，位置说不清楚。", "010201", (), door="hotline", where="nowhere"),
    Story("楼梯间灯泡坏了。已经自己换好，不用来了。", "020101", ("urge", "withdraw")),
)

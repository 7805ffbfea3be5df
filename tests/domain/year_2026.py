"""The calendar of 2026 with its holidays, the wall clock of Shanghai, and what the reference district promises."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.categories import SlaClass
from domain.ladder import ladder_for
from domain.promise import Promise
from service.calendars import for_span
from service.pack import load_pack
from tests.domain import builders as b

ROOT = Path(__file__).resolve().parents[2]
CN = for_span(ROOT / "config" / "calendar", 2026, 2027)
SLA = load_pack(ROOT / "config" / "shengli-road").sla
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI)


def wall(instant: object) -> str:
    return f"{datetime.fromisoformat(str(instant)).astimezone(SHANGHAI):%m-%d %H:%M}"


def promised_by_the_district(sla_class: SlaClass) -> Promise:
    targets = SLA.targets(sla_class)
    ladder = ladder_for(SLA.ladders, category="010101", level="grid", sla_class=sla_class)
    return b.with_budgets(
        b.a_promise(sla_class=sla_class, ladder=ladder), accept=targets.accept, contact=targets.contact,
        resolve=targets.resolve, follow_up=targets.follow_up, unit_due=SLA.unit_due_for(sla_class),
    )  # fmt: skip

"""What residents say and who they are stays in the sealed columns: not in histories, not in logs, not in the answers."""

from __future__ import annotations

import base64
import json

import pytest

from tests.builders import WASTE, Product, new_key, resident

MARKS = {
    "text": "机密诉求甲一二三", "name": "赵钱孙李测试", "phone": "13912345678", "building": "机密七栋", "room": "机密九零九",
    "note": "机密备注乙", "reply": "机密答复丙", "minute": "机密纪要丁", "key": "secret-key-of-a-caller", "ref": "机密外部编号",
}  # fmt: skip


async def test_histories_and_logs_hold_nothing_personal(
    product: Product, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    p, m = product, MARKS
    caplog.set_level("DEBUG")
    compound = next(c for c in p.desk.district.compounds if c.grid == "shenglilu-01")
    number = await p.submit(
        resident(5), grid=None, text=m["text"], category=WASTE, confidential=True,
        location={"compound": compound.id, "building": m["building"], "room": m["room"]},
        reporter={"name": m["name"], "phone": m["phone"]}, external_refs=[{"system": "x", "number": m["ref"]}],
    )  # fmt: skip
    worker = p.worker_of("shenglilu-01")
    await p.act(number, worker, "note", note=m["note"], key=m["key"] + new_key())
    await p.act(number, worker, "escalate", reason="repeat", note=m["note"])
    await p.until_agenda("shenglilu", number)
    await p.decide("shenglilu", p.secretary_of("shenglilu"), number, "return_to_grid", minute=m["minute"])
    await p.act(number, worker, "resolve", reply=m["reply"], note=m["note"])
    await p.act(number, p.supervisor, "verify", ok=True, note=m["note"])
    stored = await p.pool.fetch("select row_to_json(d)::text j from demand_event d where number = $1", number)
    current = await p.pool.fetchval("select row_to_json(d)::text from demand d where number = $1", number)
    said = "".join(capfd.readouterr()) + caplog.text
    places = {
        "history": readable(await p.history(number)), "meeting": readable(await p.history("meeting-shenglilu")),
        "events": "".join(r["j"] for r in stored), "row": current, "logs": said,
    }  # fmt: skip
    assert number in places["history"] and number in places["meeting"]  # the search sees what it looks through
    for where, content in places.items():
        assert not [name for name, mark in m.items() if mark in content], where
    sealed = await p.pool.fetch("select sealed from demand_text where number = $1", number)
    reporter = await p.pool.fetchval("select sealed from reporter where number = $1", number)
    for raw in [r["sealed"] for r in sealed] + [reporter]:
        assert not [name for name, mark in m.items() if mark.encode() in raw]
    assert json.loads(p.desk.sealer.open(reporter, number))["phone"] == m["phone"]
    assert len(sealed) == 7  # the demand, four notes, a reply and a line of minutes


def readable(history: str) -> str:
    """The history with every payload decoded, whatever its encoding wrote."""
    found = [history]

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("data"), str):
                found.append(base64.b64decode(value["data"]).decode(errors="replace"))
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(json.loads(history))
    plain = "\n".join(found)
    return plain + plain.encode().decode("unicode_escape", errors="replace")

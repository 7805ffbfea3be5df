"""Marked names, numbers and words, pushed through every door of a running product by the people who use them."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2
from PIL import Image

from domain.bodies import rules_of
from domain.district import District
from domain.vocabulary import Role
from service.tokens import mint
from tests.builders import BLOCKED_DRAIN, CONSULT, OPERATOR, SUPERVISOR, WASTE

# Whatever a log's own net would catch (mobile numbers, identity cards) stands beside something that no net knows.
MARKS = {
    "text": "机密诉求甲一二三", "name": "赵钱孙李测试", "phone": "13912345678", "email": "geheim.mark@example.com",
    "building": "机密七栋", "room": "机密九零九", "text2": "机密电话诉求", "landline": "02349871234", "card": "50038319900101123X",
    "confidential": "机密保密诉求", "confidential name": "钱三保密", "note": "机密备注乙", "reply": "机密答复丙",
    "request": "机密补充材料", "refusal": "机密退单理由", "escalation": "机密提请理由", "verification": "机密核实意见",
    "call-back": "机密回访记录", "withdrawal": "机密撤回原因", "minute": "机密纪要丁",
    "final reply": "机密最终答复", "draft": "机密草稿己", "care name": "孙四帮扶", "care phone": "02349875678",
    "care address": "机密帮扶住址", "care remarks": "机密帮扶情况", "care changed": "李五帮扶", "corrected name": "周六更正",
    "corrected phone": "02349879012", "searched phone": "02349873456", "key": "secret-key-of-a-caller", "bad": "机密错误输入",
    "bad phone": "02349876789", "query": "机密查询条件", "header": "secret-header-of-a-caller", "open311": "机密开放诉求",
    "open311 name": "吴七开放", "open311 phone": "02349870987", "open311 address": "机密开放地址", "import": "机密批量诉求", "import name": "郑八批量", "import phone": "02349877654", "staff contact": "secret.staff@example.com",
    "resident note": "机密居民补充", "resident answer": "机密居民评价", "resident phone": "02349872345", "bad number": "20260101-机密",
    "bad code": "SECRETCODE", "camera": "secret-words-of-a-camera", "file name": "secret-name-of-a-file.jpg", "lat": "", "lon": "",
}  # fmt: skip
GRID, COMMUNITY = "xuanhualu-01", "xuanhualu"


@dataclass(frozen=True)
class Answer:
    """What came back; `problem` for a problem document."""

    method: str
    path: str
    status: int
    headers: str
    body: str
    problem: bool


@dataclass
class Doors:
    """`answers` are all that were given, in their order."""

    http: httpx2.AsyncClient
    secret: str
    district: District
    marks: dict[str, str]
    answers: list[Answer] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    pushed: set[str] = field(default_factory=set)

    # ---- one call

    async def call(self, method: str, path: str, by: str, **more: Any) -> httpx2.Response:
        key = more.pop("key", uuid.uuid4().hex)
        headers = {"Authorization": f"Bearer {mint(self.secret, by)}"} | more.pop("headers", {})
        if method == "POST":
            headers.setdefault("Idempotency-Key", key)
        said = path + json.dumps(more, ensure_ascii=False, default=str)
        self.pushed |= {name for name, mark in self.marks.items() if mark in said or mark in str(headers)}
        answer = await self.http.request(method, path, headers=headers, **more)
        kind = answer.headers.get("content-type", "")
        headers_said = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers.append(Answer(method, path, answer.status_code, headers_said, answer.text, "problem" in kind))
        return answer

    async def must(self, method: str, path: str, by: str, **more: Any) -> Any:
        answer = await self.call(method, path, by, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def submit(self, by: str, **body: Any) -> str:
        view = await self.must("POST", "/api/v1/demands", by, json=body, key=self.marks["key"] + uuid.uuid4().hex)
        self.numbers.append(str(view["number"]))
        return str(view["number"])

    async def act(self, number: str, by: str, type: str, **more: Any) -> Any:
        return await self.must("POST", f"/api/v1/demands/{number}/actions", by, json={"type": type, **more})

    async def view(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.must("GET", f"/api/v1/demands/{number}", SUPERVISOR)
        return found

    # ---- people

    def worker(self) -> str:
        return self.district.grid(GRID).duty_worker

    def secretary(self) -> str:
        return self.district.secretary(COMMUNITY)

    # ---- the doors

    async def a_resident(self) -> str:
        m = self.marks
        compound = next(c for c in self.district.compounds if c.grid == GRID)
        number = await self.submit(
            "resident-0001", text=f"{m['text']}，证件{m['card']}", category=WASTE,
            location={"compound": compound.id, "building": m["building"], "room": m["room"]},
            reporter={"name": m["name"], "phone": m["phone"], "email": m["email"]},
        )  # fmt: skip
        worker = self.worker()
        await self.act(number, worker, "accept")
        await self.act(number, worker, "note", note=m["note"])
        await self.act(number, worker, "request_info", reason="awaiting_reporter", note=m["request"])
        await self.act(number, worker, "resume")
        await self.act(number, worker, "resolve", reply=m["reply"], note=m["note"])
        await self.act(number, SUPERVISOR, "verify", ok=True, note=m["verification"])
        await self.act(number, OPERATOR, "call_back", channel="phone", result="no_answer", note=m["call-back"])
        return number

    async def the_hotline(self) -> str:
        m = self.marks
        number = await self.submit(
            OPERATOR, text=m["text2"], category=BLOCKED_DRAIN, channel="hotline",
            location={"lat": float(m["lat"]), "lon": float(m["lon"])}, reporter={"name": m["name"], "phone": m["landline"]},
        )  # fmt: skip
        await self.must("PATCH", f"/api/v1/demands/{number}/reporter", OPERATOR, json={"name": m["corrected name"], "phone": m["corrected phone"]})  # fmt: skip
        await self.must("POST", "/api/v1/demands/search", OPERATOR, json={"phone": m["searched phone"]})
        await self.must("GET", f"/api/v1/demands/{number}/reporter?reveal=true&reason=handling", OPERATOR)
        await self.must("GET", f"/api/v1/demands/{number}/texts", SUPERVISOR)
        await self.must("POST", f"/api/v1/demands/{number}/personal-data/export", OPERATOR, json={"scope": "reporter"})
        unit = (await self.view(number))["unit"]["id"]
        liaison = self.district.unit(unit).liaison
        await self.act(number, liaison, "refuse", basis="no_power", note=m["refusal"])
        return number

    async def a_confidential_one(self) -> str:
        m = self.marks
        number = await self.submit(
            "resident-0002", text=m["confidential"], category=BLOCKED_DRAIN, confidential=True, location={"grid": GRID},
            reporter={"name": m["confidential name"], "phone": m["landline"]},
        )  # fmt: skip
        liaison = self.district.unit((await self.view(number))["unit"]["id"]).liaison
        await self.must("GET", f"/api/v1/demands/{number}/texts", liaison)
        await self.act(number, "resident-0002", "withdraw", note=m["withdrawal"])
        return number

    async def a_meeting(self) -> list[str]:
        """A project with a plan, and a final reply; each with a line of the minutes."""
        m, path = self.marks, f"/api/v1/meetings/{COMMUNITY}"
        numbers = [await self.submit("resident-0003", text=m["text"], category=BLOCKED_DRAIN, location={"grid": GRID}) for _ in range(2)]  # fmt: skip
        for number in numbers:
            liaison = self.district.unit((await self.view(number))["unit"]["id"]).liaison
            await self.act(number, liaison, "escalate", reason="several_units", note=m["escalation"])
        await self._until_on_agenda(numbers)
        session = await self.must("POST", f"{path}/sessions", self.secretary(), json={"kind": "extra"})
        acts = f"{path}/sessions/{session['id']}/actions"
        session = await self.must("POST", acts, self.secretary(), json={"type": "open"})
        units = list(rules_of(self.district, COMMUNITY).members)[: session["quorum"]]
        await self.must("POST", acts, self.secretary(), json={"type": "attend", "units": units})
        chair, due = session["chair"]["id"], "2027-06-30T09:00:00+08:00"
        for number in numbers:
            await self.must("POST", acts, chair, json={"type": "consent", "number": number})
        project = {
            "number": numbers[0], "kind": "project", "unit": "u-gas", "due_at": due, "minute": m["minute"],
            "milestones": [{"what": "更换水泵", "due_at": due}],
        }  # fmt: skip
        final = {"number": numbers[1], "kind": "final_reply", "reply": m["final reply"], "minute": m["minute"]}
        for decision in (project, final):
            await self.must("POST", f"{path}/decisions", chair, json=decision)
        await self.must("POST", acts, self.secretary(), json={"type": "close"})
        await self.must("GET", f"{path}/sessions/{session['id']}/minutes", chair)
        return numbers

    async def _until_on_agenda(self, numbers: list[str]) -> None:
        for _ in range(300):
            items = await self.must("GET", f"/api/v1/meetings/{COMMUNITY}/agenda", SUPERVISOR)
            if set(numbers) <= {item["number"] for item in items}:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("they never came onto the agenda")

    async def individual_needs(self) -> None:
        m, by = self.marks, self.secretary()
        group = self.district.care_groups[0].id
        person = {
            "name": m["care name"],
            "phone": m["care phone"],
            "address": m["care address"],
            "remarks": m["care remarks"],
        }
        entry = await self.must(
            "POST", "/api/v1/individual-needs", by, json={"grid": GRID, "group": group, "person": person}
        )
        place = f"/api/v1/individual-needs/{entry['id']}"
        await self.must("GET", place, by)
        await self.must("PATCH", place, by, json={"person": {"name": m["care changed"]}})

    async def open311(self) -> None:
        """As another city system sends it; it may read its own description again, and nobody's name."""
        m, by = self.marks, self.district.people_with(Role.INTEGRATOR)[0].id
        services = await self.must("GET", "/open311/v2/services.json", by)
        report = {
            "service_code": services[0]["service_code"], "description": m["open311"], "first_name": m["open311 name"],
            "last_name": m["open311 name"], "phone": m["open311 phone"], "email": m["email"],
            "address_string": m["open311 address"], "lat": m["lat"], "long": m["lon"],
        }  # fmt: skip
        await self.must("POST", "/open311/v2/requests.json", by, data=report)
        wrong = {"service_code": m["bad"], "description": m["bad"], "phone": m["bad phone"], "lat": m["bad"]}
        assert (await self.call("POST", "/open311/v2/requests.json", by, data=wrong)).status_code >= 400

    async def a_table(self) -> None:
        """One row that is taken and one that is not, of which the report says only why."""
        m, path = self.marks, "/api/v1/imports"
        rows = [f"1,{m['import']},,,{m['import name']},{m['import phone']}", f"2,{m['bad']},{m['bad']},{m['bad']},{m['bad']},{m['bad phone']}"]  # fmt: skip
        table = ("编号,内容,类别,小区,姓名,电话\r\n" + "\r\n".join(rows)).encode()
        self.pushed |= {"import", "import name", "import phone"}
        files = {"file": ("table.csv", table)}
        asked = await self.must("POST", path, OPERATOR, files=files, data={"system": "another"})
        for _ in range(300):
            stands = await self.must("GET", f"{path}/{asked['id']}", OPERATOR)
            if stands["state"] == "done":
                break
            await asyncio.sleep(0.1)
        report = (await self.call("GET", f"{path}/{asked['id']}/report.json", OPERATOR)).text
        assert (stands["taken"], stands["refused"]) == (1, 1) and m["bad"] not in report, report

    async def the_residents_door(self) -> None:
        """By number and code, without an account: the code and the session's token are secrets as well."""
        m, door = self.marks, "/api/v1/resident"
        taken = await self.must(
            "POST",
            "/api/v1/demands",
            OPERATOR,
            json={"text": m["text2"], "category": CONSULT, "location": {"grid": GRID}},
        )
        number, m["code"] = taken["number"], taken["code"]
        self.numbers.append(number)
        wrong = {"number": m["bad number"], "code": m["bad code"]}
        assert (await self.call("POST", f"{door}/session", OPERATOR, json=wrong)).status_code == 401
        opened = await self.must("POST", f"{door}/session", OPERATOR, json={"number": number, "code": m["code"]})
        m["session"] = opened["token"]
        self.http.cookies.clear()  # what the others read later they read without it
        by = {"headers": {"Authorization": f"Resident {m['session']}"}}
        await self.must("POST", f"{door}/actions", "nobody", json={"type": "note", "note": m["resident note"]}, **by)
        await self.must("PATCH", f"{door}/contact", "nobody", json={"phone": m["resident phone"]}, **by)
        await self.act(number, self.worker(), "resolve", reply=m["reply"])
        said = {"contacted": True, "solved": "yes", "satisfied": "satisfied", "note": m["resident answer"]}
        assert (await self.must("POST", f"{door}/answer", "nobody", json=said, **by))["outcome"] == "resolved"
        assert (await self.call("POST", f"{door}/answer", "nobody", json=said, **by)).status_code == 409

    async def a_photograph(self, number: str) -> None:
        """With what a camera writes into it: where it was, and words."""
        picture, exif, written = Image.new("RGB", (64, 48), "red"), Image.Exif(), io.BytesIO()
        exif[0x010E] = exif[0x9286] = self.marks["camera"]
        picture.save(written, "JPEG", exif=exif)
        files = {"file": (self.marks["file name"], written.getvalue(), "image/jpeg")}
        by = self.worker()
        kept = await self.must("POST", "/api/v1/files", by, files=files)
        assert self.marks["camera"].encode() in written.getvalue()
        self.pushed |= {"camera"}
        await self.act(number, by, "attach", file_ids=[kept["id"]])

    async def a_contact(self) -> None:
        channels = {"channels": {"email": self.marks["staff contact"]}}
        await self.must("PUT", "/api/v1/people/me/contacts", SUPERVISOR, json=channels)

    async def a_draft(self) -> None:
        draft = {"text": self.marks["draft"], "location": {"grid": GRID}}
        await self.must("POST", "/api/v1/demands/duplicates", "resident-0004", json=draft)

    async def wrong_input(self, number: str) -> None:
        """Each is refused; what was sent stands in no answer."""
        m, demands = self.marks, "/api/v1/demands"
        bad, phone, acts = m["bad"], m["bad phone"], f"{demands}/{number}/actions"
        bodies: list[tuple[str, str, Any]] = [
            ("POST", demands, {"text": "", "reporter": {"name": bad, "phone": bad}}),
            ("POST", demands, {"text": bad, bad: phone}),
            ("POST", demands, {"text": bad, "category": phone}),
            ("POST", demands, {"text": bad, "category": bad}),
            ("POST", demands, {"text": bad, "location": {"compound": bad}, "reporter": {"phone": phone}}),
            ("POST", demands, {"text": bad, "location": {"grid": phone}}),
            ("POST", demands, {"text": bad, "channel": bad, "confidential": phone}),
            ("POST", demands, {"text": bad * 4000}),
            ("POST", demands, [bad]),
            ("POST", acts, {"type": bad, "note": phone}),
            ("POST", acts, {"type": "reassign", "person": phone}),
            ("POST", acts, {"type": "resolve", "reply": bad, "outcome": bad}),
            ("POST", acts, {"type": "reopen", "note": bad}),
            ("POST", acts, {"type": "locate", "location": {"compound": bad}}),
            ("PATCH", f"{demands}/{number}/reporter", {"phone": bad}),
            ("PATCH", f"{demands}/{number}/reporter", {"name": f"{bad}**"}),
            ("PATCH", f"{demands}/{number}/reporter", {bad: phone}),
            ("POST", f"{demands}/search", {"phone": bad}),
            ("POST", "/api/v1/individual-needs", {"grid": phone, "group": bad, "person": {"name": bad}}),
            ("POST", f"/api/v1/meetings/{COMMUNITY}/decisions", {"number": number, "kind": bad, "minute": bad}),
        ]  # fmt: skip
        for method, path, body in bodies:
            answer = await self.call(method, path, OPERATOR, json=body)
            assert 400 <= answer.status_code < 500, f"{method} {path} {answer.status_code}: {answer.text}"
        for raw in (
            f'{{"text": "{bad}", "text": "{phone}"}}',
            f'{{"text": "{bad}',
            f'"{bad}\x00"',
            f'{{"{bad}": 1e999}}',
        ):
            answer = await self.call(
                "POST", demands, OPERATOR, content=raw.encode(), headers={"Content-Type": "application/json"}
            )
            assert 400 <= answer.status_code < 500, answer.text
        for query in (f"category={m['query']}", f"cursor={m['query']}", f"stage={m['query']}", f"holder={m['query']}"):
            assert (await self.call("GET", f"{demands}?{query}", SUPERVISOR)).status_code < 500
        await self.call("POST", demands, "resident-0005", json={}, headers={"Idempotency-Key": m["header"] + " x"})
        await self.call("GET", demands, "resident-0005", headers={"Authorization": f"Bearer {m['header']}"})
        await self.call("GET", demands, "resident-0005", headers={"User-Agent": m["header"], "Referer": m["header"]})

    async def what_others_may_read(self, role: Role | None) -> dict[str, str]:
        """By address, every list and every page about a demand, as somebody of this role reads it; None: without a key."""
        document = (await self.call("GET", "/openapi.json", SUPERVISOR)).json()
        known = {"meeting": COMMUNITY, "community": COMMUNITY, "grid": GRID, "fmt": "json"}
        paths = [path for path, methods in document["paths"].items() if "get" in methods and "stream" not in path]
        read: dict[str, str] = {}
        for filled in (one for path in paths for one in self._filled(path, known)):
            if role is None:
                answer = await self.http.get(filled)
            else:
                answer = await self.call("GET", filled, self.district.people_with(role)[0].id)
            assert answer.status_code < 500, f"{filled}: {answer.text}"
            read[filled] = answer.text
        return read

    def _filled(self, path: str, known: dict[str, str]) -> list[str]:
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if names == ["number"]:
            return [path.replace("{number}", number) for number in self.numbers[:4]]
        if all(name in known for name in names):
            for name in names:
                path = path.replace(f"{{{name}}}", known[name])
            return [path]
        return []

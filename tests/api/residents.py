"""Reporters without an account, for tests: their messages as they would leave the product, and a client for their door."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2

from domain.demand import Demand
from domain.vocabulary import ClockName
from runtime.settings import Settings
from service.notice_letters import Letter, letter_of
from service.notice_plans import Planner
from service.notifying import Notifying
from store.seal import Sealer
from tests.api.callers import Http
from tests.builders import CONSULT, OPERATOR, Product, new_key, settings_for

HOST = "linli.test"
DOOR = "/api/v1/resident"
GRID = "xuanhualu-05"
EMAIL = "reporter.of.a.test@example.cn"
SATISFIED = {"contacted": True, "solved": "yes", "satisfied": "satisfied"}
NOT_SOLVED = {"contacted": True, "solved": "no", "satisfied": "dissatisfied"}


def sending(product: Product, **more: Any) -> Settings:
    """The settings of an installation that sends e-mail and is reached from outside."""
    mail: dict[str, Any] = {
        "smtp_url": "smtp://127.0.0.1:2525", "mail_from": "linli@example.cn", "public_url": f"https://{HOST}",
    }  # fmt: skip
    return settings_for(product.settings.database_url, "127.0.0.1:7233", "q", **{**mail, **more})


async def by_telephone(http: Http, **more: Any) -> dict[str, Any]:
    """What the hotline's operator is answered who takes a demand down for somebody with an e-mail address."""
    said = {"category": CONSULT, "location": {"grid": GRID}, "channel": "hotline", "reporter": {"email": EMAIL}}
    return await http.submit(OPERATOR, **{**said, **more})


async def handled(product: Product, number: str, *, times: int = 1) -> Demand:
    """Said to be done, and its reporter asked for the `times`-th time, at the hours in which that is allowed."""
    d = await product.act(number, product.worker_of(GRID), "resolve", reply="路灯已修好")
    while (await product.types(number)).count("reporter_asked") < times:
        at = d.clocks[ClockName.CALL_BACK].due_at
        await product.pass_until(number, at)
        d = await product.until_row(number, lambda d, at=at: d.clocks[ClockName.CALL_BACK].due_at != at)  # type: ignore[misc]
    return d


async def messages(product: Product, number: str, **more: Any) -> list[tuple[str, Letter]]:
    """(event, letter) of everything that goes out to the reporter, rendered as for sending."""
    settings = sending(product, **more)
    await Notifying(Planner(settings, product.desk.watch), product.pool).once()
    rows = await product.pool.fetch(
        "select d.id, n.event from delivery d join notice n on n.id = d.notice where n.number = $1 and n.person is null"
        " order by d.id",
        number,
    )
    found = []
    for row in rows:
        letter = await letter_of(
            product.pool, Sealer(settings.key_ring()), product.desk.district, settings, row["id"]
        )  # fmt: skip
        assert letter is not None
        found.append((row["event"], letter))
    return found


def links_in(letter: Letter) -> list[str]:
    return re.findall(rf"https://{re.escape(HOST)}/f#[^\s#]+", letter.body)


async def link(product: Product, number: str, event: str = "reporter_asked", **more: Any) -> str:
    """The token of the latest message about that."""
    letter = [letter for type, letter in await messages(product, number, **more) if type == event][-1]
    (found,) = links_in(letter)
    return found.partition("#")[2]


@dataclass
class Visitor:
    """Somebody at the door, from `address`, who presents what stands in `headers`."""

    http: Http
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "192.0.2.77"
    base: str = f"https://{HOST}"

    def __post_init__(self) -> None:
        transport = httpx2.ASGITransport(app=self.http.app, raise_app_exceptions=False, client=(self.address, 1234))
        self.client = httpx2.AsyncClient(transport=transport, base_url=self.base, headers=self.headers, timeout=60)

    async def get(self, path: str = "/demand") -> httpx2.Response:
        return await self.client.get(f"{DOOR}{path}")

    async def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> httpx2.Response:
        return await self.client.post(
            f"{DOOR}{path}", json=body, headers={"Idempotency-Key": key or new_key(), **headers}
        )

    async def patch(self, path: str, body: Any) -> httpx2.Response:
        return await self.client.patch(f"{DOOR}{path}", json=body)

    async def sign_in(self, number: str, code: str) -> httpx2.Response:
        return await self.client.post(f"{DOOR}/session", json={"number": number, "code": code})


def with_link(http: Http, token: str, **more: Any) -> Visitor:
    return Visitor(http, {"Authorization": f"Link {token}"}, **more)


async def with_code(http: Http, number: str, code: str) -> Visitor:
    """Signed in, presenting the session as a program does."""
    answer = await Visitor(http).sign_in(number, code)
    assert answer.status_code == 201, answer.text
    return Visitor(http, {"Authorization": f"Resident {answer.json()['token']}"})

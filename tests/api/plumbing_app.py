"""A small application on the real plumbing: everything but the product's own routes and Desk."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import httpx2
import structlog
from fastapi import APIRouter, FastAPI, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from api.app import Parts, create_app
from api.auth import Caller
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from domain.actors import Grant
from domain.errors import ConfigError, DomainError
from domain.needs import Need
from domain.vocabulary import Role
from runtime.logging import configure_logging
from runtime.settings import Settings
from service.tokens import mint

SECRET = "a secret for tests only"
WORKER = "gw-0001"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Point(_Model):
    lat: float = Field(ge=-90, le=90)
    lon: float


class Compound(_Model):
    compound: str = Field(max_length=16)


class Accept(_Model):
    type: Literal["accept"]
    note: str | None = Field(default=None, max_length=20)


class Resolve(_Model):
    type: Literal["resolve"]
    reply: str = Field(min_length=1)


class Thing(_Model):
    text: str = Field(min_length=1, max_length=400)
    count: int = 0
    at: AwareDatetime | None = None
    location: Point | Compound | None = None
    action: Annotated[Accept | Resolve, Field(discriminator="type")] | None = None
    tags: list[Any] = []

    @model_validator(mode="after")
    def _speaks(self) -> Thing:
        if self.text == "say it":
            raise ValueError("tags need a location")
        if self.text == "quote me":
            raise ValueError(f"cannot use {self.text}")
        return self


class Lost(Exception):
    """Stands for a driver's base class of lost connections."""


class LostForGood(Lost):
    pass


router = APIRouter(prefix="/api/v1", route_class=StrictRoute)


@router.post("/things", status_code=201)
@needs(Need.PUBLIC, because="a test of the plumbing")
async def create_thing(thing: Thing) -> Thing:
    return thing


@router.get("/things")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def list_things(page: PageAsked, response: Response, stage: str | None = None) -> dict[str, Any]:
    start = int(page.after[0]) if page.after else 0  # type: ignore[arg-type]
    rows = list(range(start + 1, min(start + page.limit, 60) + 1))
    if rows[-1:] != [60]:
        page.link_next(response, [rows[-1]])
    return {"rows": rows, "stage": stage}


@router.get("/things/{number}")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def read_thing(number: str) -> dict[str, str]:
    raise problem("not_found", "No such thing.", number="x-1")


@router.delete("/things/{number}")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def delete_thing(number: int) -> None:
    return None


@router.get("/me")
@needs(Need.BE_KNOWN)
async def read_me(caller: Caller) -> dict[str, Any]:
    return {"id": caller.id, "roles": [g.role for g in caller.grants]}


@router.get("/refused/{code}")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def refuse(code: str) -> None:
    raise problem(code)


@router.get("/misspelt")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def misspelt() -> None:
    raise DomainError("no_such_code", "words nobody translated")


@router.get("/broken")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def broken() -> None:
    raise RuntimeError("张三 13812345678")


@router.get("/lost")
@needs(Need.PUBLIC, because="a test of the plumbing")
async def lost() -> None:
    raise LostForGood("password=hunter2")


class Person:
    id = WORKER
    grants = (Grant(role=Role.GRID_WORKER, grid="g-1"),)


class District:
    def person(self, person_id: str, /) -> Person:
        if person_id != WORKER:
            raise problem("unknown_person")
        return Person()


class Desk:
    """What the plumbing asks of a Desk, and no more."""

    def __init__(self) -> None:
        self.district = District()
        self.state = {"postgresql": "ok", "temporal": "ok"}

    async def check(self) -> dict[str, str]:
        return dict(self.state)

    async def close(self) -> None:
        structlog.get_logger("toy").info("desk closed")


async def open_fake_desk(_: Settings) -> Desk:
    return Desk()


def toy_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": "postgresql://linli@127.0.0.1/linli",
        "data_keys": "k1:" + base64.b64encode(b"k" * 32).decode(),
        "dev_token_secret": SECRET,
        "max_body_bytes": 4_096,
    }
    return Settings.model_validate(values | changes)


def toy_app(routers: Iterable[APIRouter] = (), **changes: Any) -> FastAPI:
    parts = Parts(open_desk=open_fake_desk, routers=(router, *routers), unavailable=(Lost,))
    return create_app(toy_settings(**changes), parts)


def served_app() -> FastAPI:
    """For a real server: with logging set up, as the product's own composition root does it."""
    configure_logging("info")
    return toy_app()


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    if not hasattr(app.state, "desk"):
        app.state.desk = Desk()  # the lifespan does it under a server; the real-server test covers that
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test")


def bearer(person_id: str = WORKER) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(SECRET, person_id)}"}


async def _refuse_to_open(_: Settings) -> Desk:
    raise ConfigError("sla.toml", "classes.ordinary", "is missing", "Add it")


def broken_app() -> FastAPI:
    configure_logging("info")
    return create_app(toy_settings(), Parts(open_desk=_refuse_to_open))

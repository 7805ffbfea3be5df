"""What a driver process is asked to do and what it answers: one JSON document each way, over its stdin and stdout."""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntakeJob(_Message):
    """`lanes` connections POST the bodies in turn, each waiting for its answer, for `seconds`."""

    kind: Literal["intake"] = "intake"
    host: str
    port: int
    lanes: int
    seconds: float
    most: int | None = None
    tokens: list[str]
    bodies: list[str]


class LivesJob(_Message):
    """`demands` whole demands, `lanes` at a time: one POST and then the six commands, each by the person whose it is."""

    kind: Literal["lives"] = "lives"
    host: str
    port: int
    lanes: int
    demands: int
    reporters: list[str]
    tokens: dict[str, str]
    bodies: list[str]


class BareJob(_Message):
    """`cases` bare workflows, `lanes` at a time: a start and then six updates; `step` adds the empty local activity."""

    address: str
    task_queue: str
    prefix: str
    lanes: int
    cases: int
    step: bool


class Report(_Message):
    """`answers_ms` are those of single requests or updates, the starts not among them; `ids` what was brought about."""

    count: int
    seconds: float
    answers_ms: list[float]
    refused: dict[str, int]
    ids: list[str] = []
    driver_cpu_ms: float = 0.0


def read_stdin() -> str:
    return sys.stdin.read()

"""What the board's address asks for, and addresses that ask for something else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.categories import SlaClass
from domain.errors import DomainError
from domain.vocabulary import Stage
from service.clock_list import Wanted
from store.clock_queries import Key
from store.queries import Filter

State = Literal["breached", "due_soon", "running", "paused"]
Day = Literal["opened", "closed"]
CLOCKS = ("accept", "contact", "resolve", "unit_due", "co_due", "decide", "approve", "follow_up", "locate")
CLASSES: tuple[str, ...] = get_args(SlaClass)
_CODE = r"^[A-Za-z0-9._:-]{1,64}$"


class _Said(BaseModel):
    """The parameters as they come; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: State | None = None
    clock: Literal[CLOCKS] | None = None  # type: ignore[valid-type]
    day: Day | None = None
    stage: Stage | None = None
    community: str | None = Field(default=None, pattern=_CODE)
    grid: str | None = Field(default=None, pattern=_CODE)
    unit: str | None = Field(default=None, pattern=_CODE)
    category: str | None = Field(default=None, pattern=r"^([0-9]{2}){1,6}$")
    sla_class: SlaClass | None = None
    holder: str | None = Field(default=None, pattern=_CODE)
    q: str | None = Field(default=None, max_length=32, pattern=r"^[0-9-]+$")
    after: str | None = Field(default=None, max_length=200)
    rows: int | None = Field(default=None, ge=1, le=500)


@dataclass(frozen=True)
class Asked:
    """`me` is who looks: `holder=me` in the address stays readable and can be passed on."""

    me: str
    state: State | None = None
    clock: str | None = None
    day: Day | None = None
    stage: str | None = None
    community: str | None = None
    grid: str | None = None
    unit: str | None = None
    category: str | None = None
    sla_class: str | None = None
    holder: str | None = None
    q: str | None = None
    after: str | None = None
    rows: int | None = None

    def with_(self, **changes: Any) -> Asked:
        return replace(self, **changes)

    def of_place(self) -> Asked:
        """Without what the tiles themselves choose."""
        return Asked(self.me, community=self.community, grid=self.grid, unit=self.unit, category=self.category,
                     holder=self.holder, q=self.q)  # fmt: skip

    @property
    def narrowed(self) -> bool:
        return bool(self.parameters())

    def parameters(self) -> dict[str, str]:
        """As they stand in the address, without where in the list one is."""
        said = {k: v for k, v in asdict(self).items() if v is not None and k not in ("me", "after", "rows")}
        return {name: str(value) for name, value in said.items()}

    def _filter(self) -> Filter:
        return Filter(
            stage=self.stage, community=self.community, grid=self.grid, unit=self.unit, category=self.category,
            holder=self.me if self.holder == "me" else self.holder, part=self.q,
        )  # fmt: skip

    def wanted(self) -> Wanted:
        """Of the open ones. What is handled with another demand counts with that one."""
        return Wanted(
            state=self.state or "all", kinds=(self.clock,) if self.clock else (), sla_class=self.sla_class,
            once=True, demands=replace(self._filter(), without_duplicates=True),
        )  # fmt: skip

    def of_day(self, start: datetime, end: datetime) -> Filter:
        if self.day == "closed":
            return replace(self._filter(), closed_from=start, closed_until=end)
        return replace(self._filter(), opened_from=start, opened_until=end)


def read_asked(request: Request) -> Asked:
    """Raises DomainError `invalid_filter`."""
    given = {name: value for name, value in request.query_params.items() if value.strip()}
    try:
        said = _Said.model_validate(given)
    except ValidationError as wrong:
        fields = sorted({str(error["loc"][0]) for error in wrong.errors()})
        raise DomainError("invalid_filter", "The address asks for what there is not.", fields=fields) from None
    return Asked(me=_me(request), **said.model_dump(mode="json"))


def _me(request: Request) -> str:
    visitor = request.scope.get("linli.visitor")
    return visitor.staff.id if visitor is not None else ""


def link(asked: Asked, **changes: Any) -> str:
    """The board's address with these changes; it begins at the first row unless `after` says where."""
    other = asked.with_(**{"after": None, "rows": None, **changes})
    said = other.parameters() | ({"after": other.after} if other.after else {})
    return "/board" + (f"?{urlencode(said)}" if said else "")


# ---- where in the list of clocks one is


def written(key: Key) -> str:
    paused, at, number, name = key
    return f"{int(paused)}~{at.isoformat()}~{number}~{name}"


def key_of(text: str | None) -> Key | None:
    """Raises DomainError `invalid_filter`."""
    if text is None:
        return None
    paused, _, rest = text.partition("~")
    at, _, rest = rest.partition("~")
    number, _, name = rest.partition("~")
    try:
        instant = datetime.fromisoformat(at)
        if paused not in ("0", "1") or instant.tzinfo is None or not number or not name:
            raise ValueError(text)
    except ValueError:
        raise DomainError("invalid_filter", "The address names no row of the list.", fields=["after"]) from None
    return paused == "1", instant, number, name

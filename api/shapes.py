"""The shapes of the main answers, for the OpenAPI document and for generated clients.

The routes answer plain dictionaries, because checking each answer against a model would cost more than making it; a test
checks recorded and live answers against these instead (tests/contract/test_openapi_answers.py). What an answer holds beside
its shape comes with a later release: clients ignore it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Named(_Shape):
    """`name` is null for somebody or something that the district no longer has."""

    id: str
    name: str | None


class CategoryName(_Shape):
    code: str
    name: str


class ClockView(_Shape):
    """`due_at` is null while the clock is paused."""

    due_at: AwareDatetime | None
    stopped_at: AwareDatetime | None
    breached: bool


class CoTaskView(_Shape):
    unit: Named
    required: bool
    state: str


class HandledWith(_Shape):
    number: str
    stage: str
    holder: Named | None
    due_at: AwareDatetime | None
    outcome: str | None


class DemandView(_Shape):
    """A demand as one caller sees it; `permitted` are the actions that this caller may take now."""

    number: str = Field(examples=["20261123-000042"])
    stage: str = Field(description="intake, grid, unit, meeting, feedback or closed.")
    category: CategoryName
    service: dict[str, Any] | None = Field(description="Of the menu, where it was chosen from that.")
    community: str | None = Field(description="Null until it is located.")
    grid: str | None
    compound: str | None
    holder: Named | None = Field(description="Who owes the next step.")
    unit: Named | None = Field(description="The lead unit.")
    co_tasks: list[CoTaskView]
    meeting: str | None
    due_at: AwareDatetime | None = Field(description="Of the next promised clock; null while paused or closed.")
    breached: bool
    paused: str | None = Field(description="Why it is paused.")
    outcome: str | None
    redos: int
    evidence: bool = Field(description="Whether resolving it takes a picture.")
    primary: str | None = Field(description="The demand that it is handled with, for a duplicate.")
    handled_with: HandledWith | None = Field(description="How the primary stands, for a duplicate.")
    followers: int
    proposed_by: Named | None
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    seq: int = Field(description="Grows with every event; the number in the ETag.")
    clocks: dict[str, ClockView]
    permitted: list[str]


class DemandTaken(DemandView):
    code: str | None = Field(
        default=None, description="With the number it lets the reporter in; told once, to whoever speaks for reporters."
    )


class LogEntry(_Shape):
    """One event of a demand; `hash` covers the entry and the hash before."""

    seq: int
    type: str
    at: AwareDatetime
    actor: str | None = Field(description="Null for callers who are not told who acted.")
    performed_at: AwareDatetime | None = Field(description="When it was done, for what was sent later.")
    data: dict[str, Any]
    hash: str


class ClockDetail(_Shape):
    """Durations are ISO 8601 in the clock's own time: working time for working budgets."""

    name: str
    state: str = Field(description="running, paused or stopped.")
    started_at: AwareDatetime
    due_at: AwareDatetime | None
    paused_at: AwareDatetime | None
    stopped_at: AwareDatetime | None
    kept: bool | None
    breached: bool
    breached_at: AwareDatetime | None
    breached_by: str | None
    budget: dict[str, Any] | None
    used: str
    used_percent: float
    provisional: bool
    next: list[dict[str, Any]]
    done: list[str]


class DemandClocks(_Shape):
    number: str
    calendar: str
    sla_class: str
    as_of: AwareDatetime
    clocks: list[ClockDetail]


class ReferenceView(_Shape):
    """Its number in another system."""

    system: str
    number: str


class CommunityView(_Shape):
    id: str
    name: str
    name_en: str
    grids: int


class GridView(_Shape):
    id: str
    name: str
    community: str
    duty_worker: str
    substitute: str
    ring: list[list[float]] = Field(description="Its outline: longitude and latitude, WGS 84.")


class ResourceView(_Shape):
    id: str
    what: str
    categories: list[str]
    capacity: int | None
    valid_from: date
    valid_until: date | None


class UnitInForce(_Shape):
    id: str
    name: str
    kind: str
    communities: list[str]
    liaison: str
    resources: list[ResourceView]


class CategoryView(_Shape):
    code: str
    name: str
    name_en: str
    path: list[str]
    handling_level: str
    sla_class: str
    evidence: bool


class WebhookView(_Shape):
    id: str
    owner: str
    url: str
    description: str
    types: list[str]
    communities: list[str]
    categories: list[str]
    state: str = Field(description="enabled or disabled.")
    disabled: str | None
    failures: int
    failing_since: AwareDatetime | None
    old_secret_until: AwareDatetime | None
    created_at: AwareDatetime
    changed_at: AwareDatetime


class WebhookMade(WebhookView):
    secret: str = Field(description="Signs what is sent; told once.")


class AsyncTaken(_Shape):
    """It is being done. Ask again with the same Idempotency-Key for the verdict; nothing is done twice."""

    status: str = Field(examples=["under_way"])
    number: str
    follow: str = Field(description="Where to look: its ETag changes when it is done.")


ANSWERS: dict[str, tuple[str, Any]] = {
    "submit_demand": ("201", DemandTaken),
    "list_demands": ("200", list[DemandView]),
    "read_demand": ("200", DemandView),
    "act_on_demand": ("200", DemandView),
    "list_followers": ("200", list[DemandView]),
    "list_demand_events": ("200", list[LogEntry]),
    "list_demand_clocks": ("200", DemandClocks),
    "list_demand_references": ("200", list[ReferenceView]),
    "add_demand_reference": ("201", list[ReferenceView]),
    "list_communities": ("200", list[CommunityView]),
    "list_grids": ("200", list[GridView]),
    "list_units": ("200", list[UnitInForce]),
    "list_categories": ("200", list[CategoryView]),
    "create_webhook": ("201", WebhookMade),
    "list_webhooks": ("200", list[WebhookView]),
}
"""By operation id: the status of its good answer, and that answer's shape."""

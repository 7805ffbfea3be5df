"""How each route is asked: what its path names, a body that is right as far as authorisation looks, and what it lists.

A route that is not named here is asked with an empty body, and its path is filled by `PARAMS`. Bodies are such that a caller who
may is answered something else than 401, 403 and 404 (often 422), and that little is changed.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from domain.exclusions import Basis
from domain.vocabulary import Role
from tests.api.authorisation_world import HERE, PHONE, Caller, Objects, World
from tests.builders import INTEGRATOR, SUPERVISOR, new_key

OWNED = {
    "demand", "file", "person", "somebody", "exclusion", "webhook", "key", "account_session", "import", "publication",
}  # fmt: skip
Body = Callable[[Objects], Any]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PAST = "2020-01-01T00:00:00Z"
# What the parameters of the paths stand for; after `=` it is the value itself.
PARAMS = {
    "number": "demand", "community": "community", "meeting": "meeting", "session": "session", "unit": "unit",
    "grid": "grid", "change": "change", "month": "=2026-01", "date": "=2026-05-01", "name": "=email",
    "fmt": "=json", "token": "=nothing", "service_request_id": "=20260101-000001", "service_code": "=120101",
    "rest": "=/nothing", "delivery": "webhook_delivery",
}  # fmt: skip
IDS = {
    "/units/": "unit", "/projects/": "project", "/individual-needs/": "care", "/exclusions/": "exclusion",
    "/files/": "file", "/imports/": "import", "/webhooks/": "webhook", "/api-keys/": "key", "/sessions/": "account_session",
    "/publications/": "publication", "/rulings/": "ruling", "/deliveries/": "delivery", "/forwardings/": "forwarding", "/notices/": "notice",
    "/people/": "person",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`body` and `query` may depend on what is asked about, and then the route has an inside and an outside.

    `lists` is the kind of thing whose id stands in a list that is narrowed to what the caller may see; `fresh` the kind that
    the request uses up; `form` sends a form instead of JSON.
    """

    body: Body | None = None
    query: Body | None = None
    lists: str | None = None
    fresh: str | None = None
    form: bool = False
    cookie: bool = False
    before: Callable[[World, Objects], Awaitable[None]] | None = None

    def content(self, o: Objects) -> tuple[str, bytes]:
        """The media type and the body."""
        return (FORM, b"") if self.form else (JSON, json.dumps(self.body(o) if self.body else {}).encode())

    def is_about_something(self, path: str) -> bool:
        """Whether path, body or query name something that can lie inside or outside; a list is narrowed instead."""
        return bool(kinds(path)) or (self.lists is None and (self.body or self.query) is not None)


def params(path: str) -> list[str]:
    return [part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:]]


def kinds(path: str) -> list[str]:
    found = (kind_of(path, name) for name in params(path))
    return [kind for kind in found if not kind.startswith("=")]


def kind_of(path: str, name: str) -> str:
    if name != "id":
        return PARAMS[name]
    return next(kind for prefix, kind in IDS.items() if prefix in path)


def target(path: str, o: Objects) -> str:
    for name in params(path):
        kind = kind_of(path, name)
        value = kind[1:] if kind.startswith("=") else o[kind]
        path = path.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
    return path


async def _referred(world: World, o: Objects) -> None:
    o["ref"] = new_key()
    await world.product.pool.execute(
        "insert into external_ref (system, ref, number) values ('t', $1, $2)", o["ref"], o["demand"]
    )


async def _delivered(world: World, o: Objects) -> None:
    o["webhook_delivery"] = await world.webhook_delivery(o["webhook"])


def _unit(o: Objects) -> Any:
    return json.loads(o["unit_body"])


def _changes(o: Objects) -> str:
    """Each role asks for what is its own; who reads all asks for all."""
    mine = {
        Role.UNIT_LIAISON: f"kind=unit&key={o['unit']}",
        Role.COMMUNITY_SECRETARY: f"kind=roster&key={o['community']}",
    }
    return mine.get(Role(o["role"]), "")


def _decision(o: Objects) -> Any:
    return {"kind": "approve" if o["role"] == Role.SUPERVISOR else "withdraw"}


def _leave(o: Objects) -> Any:
    return {"leave": [{"from": "2032-01-01", "until": "2032-01-02"}]}


DRY: Body = lambda o: "dry_run=true"  # noqa: E731
MONTH: Body = lambda o: "month=2026-01"  # noqa: E731

CASES: dict[str, Case] = {
    "list_demands": Case(lists="demand", query=lambda o: "limit=100"),
    "list_need_items": Case(lists="demand", query=lambda o: "limit=100"),
    "list_clocks": Case(lists="demand", query=lambda o: "limit=100"),
    "export_demands_csv": Case(lists="demand"),
    "export_history_csv": Case(lists="demand"),
    "pull_events": Case(lists="demand", query=lambda o: "limit=100"),
    "search_demands_by_phone": Case(lists="demand", body=lambda o: {"phone": PHONE}),
    "list_exclusions": Case(lists="exclusion", query=lambda o: "limit=100"),
    "list_individual_needs": Case(lists="care", query=lambda o: "limit=100"),
    "list_imports": Case(lists="import", query=lambda o: "limit=100"),
    "list_webhooks": Case(lists="webhook"),
    "list_api_keys": Case(lists="key", query=lambda o: "limit=100"),
    "list_personal_reads": Case(lists="demand", query=lambda o: "limit=100"),
    "act_on_demand": Case(body=lambda o: {"type": "note", "note": "好"}),
    "gather_followers": Case(body=lambda o: {"demands": ["20200101-000001"]}),
    "add_demand_reference": Case(body=lambda o: {"system": "t", "number": new_key()}),
    "remove_demand_reference": Case(query=lambda o: f"system=t&number={o['ref']}", before=_referred),
    "correct_reporter": Case(body=lambda o: {"name": "王大明"}),
    "export_personal_data": Case(body=lambda o: {"scope": "demand"}),
    "delete_personal_data": Case(body=lambda o: {"confirm": True}),
    "list_hot_spots": Case(query=lambda o: f"community={o['community']}"),
    "decide_item": Case(body=lambda o: {"number": o["demand"], "kind": "return_to_grid"}),
    "convene_session": Case(body=lambda o: {"kind": "extra", "starts_at": PAST}),
    "act_on_session": Case(body=lambda o: {"type": "attend", "units": [o["attends"]]}),
    "revoke_ruling": Case(body=lambda o: {"reason": "r", "effective_at": PAST}),
    "change_rotation": Case(
        body=lambda o: {"type": "skip", "unit": "no-such", "period": "2032-01-01", "reason": "r"}
    ),
    "open_project": Case(body=lambda o: {"community": o["community"], "title": "t", "lead_unit": "no-such"}),
    "link_demand": Case(body=lambda o: {"number": o["demand"]}),
    "act_on_project": Case(body=lambda o: {"type": "progress", "milestone": 1, "percent": 50}),
    "add_individual_need": Case(
        body=lambda o: {"grid": o["grid"], "group": o["group"], "person": {"name": "x"}}
    ),
    "change_individual_need": Case(body=lambda o: {"check_in_days": 9}),
    "check_in": Case(body=lambda o: {"result": "well"}),
    "end_individual_need": Case(fresh="care"),
    "ask_for_exclusion": Case(
        body=lambda o: {"month": "2026-01", "figures": ["no-such"], "basis": next(iter(Basis))}
    ),
    "decide_exclusion": Case(body=_decision),
    "read_rates": Case(query=lambda o: f"month={o['today'][:7]}&by=community", lists="community"),
    "read_bulletin": Case(query=MONTH, lists="nothing"),
    "read_bulletin_lines": Case(query=MONTH, lists="nothing"),
    "trace_rate": Case(query=lambda o: "month=2026-01&figure=on_time", lists="nothing"),
    "recompute_month": Case(body=lambda o: {"reason": "r"}),
    "replay_deliveries": Case(body=lambda o: {"from": PAST, "until": "2020-01-02T00:00:00Z"}),
    "publish_calendar": Case(body=lambda o: json.loads(o["year"]), query=DRY),
    "publish_sla": Case(body=lambda o: json.loads(o["sla"]), query=DRY),
    "publish_routing": Case(body=lambda o: json.loads(o["routing"]), query=DRY),
    "try_routing_rules": Case(body=lambda o: json.loads(o["routing"])),
    "put_unit": Case(body=_unit, query=DRY),
    "put_unit_resource": Case(body=lambda o: json.loads(o["resource"]), query=DRY),
    "retire_unit": Case(body=lambda o: {"reason": "r", "keep_running": True}, query=DRY),
    "put_stewardship": Case(body=lambda o: {"unit": o["unit"], "from": "2030-01-01"}, query=DRY),
    "put_roster": Case(
        body=lambda o: {"period": "month", "starts_on": "2031-01-01", "roster": [o["unit"]]}, query=DRY
    ),
    "put_person": Case(
        body=lambda o: {"name": "x", "grants": [{"role": "auditor"}], "titles": []}, query=DRY
    ),
    "put_leave": Case(body=_leave, query=DRY),
    "cancel_publication": Case(body=lambda o: {"reason": "r"}),
    "list_changes": Case(query=_changes),
    "create_webhook": Case(body=lambda o: {"url": "https://127.0.0.1/x"}, lists="nothing"),
    "replace_webhook": Case(body=lambda o: {"url": "https://127.0.0.1/x"}),
    "act_on_webhook": Case(body=lambda o: {"type": "disable"}),
    "delete_webhook": Case(fresh="webhook"),
    "read_webhook_delivery": Case(before=_delivered),
    "make_api_key": Case(body=lambda o: {"name": "x", "scopes": ["rates:read"], "owner": o["somebody"]}),
    "rotate_api_key": Case(body=lambda o: {"overlap_hours": 1}, fresh="key"),
    "revoke_api_key": Case(fresh="key"),
    "end_session": Case(fresh="account_session"),
    "list_identity_events": Case(query=lambda o: f"person={o['somebody']}"),
    "sign_out": Case(cookie=True),
    "forward_demand": Case(body=lambda o: {"neighbour": "no-such"}),
    "list_forwardings": Case(lists="demand", query=lambda o: "limit=100"),
    "open311_create_request": Case(form=True),
    "open311_create_update": Case(form=True),
}  # fmt: skip


async def objects(world: World, case: Case, path: str, caller: Caller, side: str, words: set[str]) -> Objects | None:
    """What the request is about: of `side`, the caller's own where that is what the role reaches, or the committee's.

    None where this caller cannot have such a thing.
    """
    o = {
        **world.of[side],
        "role": str(caller.role),
        "group": world.group,
        "today": world.today,
        "attends": world.of[side]["unit"],
    }
    if "committee" in words:
        o |= {"meeting": o["committee"], "session": o["committee_session"], "attends": o["community"]}
    by_place = words & (
        {"district", "community", "demand"} if caller.whole else {"community", "grid", "unit", "demand"}
    )
    if "own" in words and not by_place and side == HERE:
        for kind in sorted(OWNED & {*kinds(path), str(case.lists), "somebody"}):
            own = await world.own(kind, caller, fresh=kind == case.fresh)
            if own is None:
                return None
            o[kind] = own
    elif case.fresh is not None:
        o[case.fresh] = await _fresh(world, case.fresh, side)
    if case.before is not None:
        await case.before(world, o)
    return o


async def _fresh(world: World, kind: str, side: str) -> str:
    match kind:
        case "care":
            return await world.care(side)
        case "webhook":
            return await world.webhook(INTEGRATOR)
        case "key":
            return await world.key(INTEGRATOR)
    return await world.account_session(SUPERVISOR)

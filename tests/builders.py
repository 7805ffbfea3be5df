"""What tests build again and again: a running product in the test's process, people to act, demands in some stage."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.registry import activities_of
from contracts.demand import Acted
from contracts.names import cadence_schedule_id
from contracts.rotation import rotation_schedule_id
from domain.actors import Actor, Grant
from domain.bodies import rules_of
from domain.commands import Act
from domain.demand import Demand
from domain.errors import DomainError
from domain.ledger import Entry
from domain.session import Session, SessionState
from domain.vocabulary import Role
from domain.worktime import Calendar
from runtime.logging import configure_logging
from runtime.settings import Settings
from service import actions, intake, meetings, sessions
from service.cadence import Bodies
from service.desk import Desk, open_desk
from service.forms import ActionForm, DecisionForm, SubmitForm
from service.publish_watch import open_watch
from service.rotation_turns import Turns
from service.session_forms import ConveneForm, SessionForm
from store import meetings as stored_meetings
from store.pool import Pool, open_pool
from store.seal import Sealer
from workflows.chair_rotation import ChairRotation
from workflows.convene_meeting import ConveneMeeting
from workflows.joint_meeting import JointMeeting
from workflows.resident_demand import ResidentDemand

T = TypeVar("T")

TOKEN_SECRET = "a secret for tests only"
KEY = "k1:" + base64.b64encode(b"k" * 32).decode()
SUPERVISOR, OPERATOR, ADMIN, INTEGRATOR = "p-0002", "p-0004", "p-0008", "p-0009"
WASTE, CONSULT, PARKING, BLOCKED_DRAIN, ROOF_LEAK = "010101", "120101", "070101", "040102", "020401"
"""Grid level with verification · without · without · unit level, livelihood · unit level, complex."""

_ACTION: TypeAdapter[ActionForm] = TypeAdapter(ActionForm)
_CONVENE: TypeAdapter[ConveneForm] = TypeAdapter(ConveneForm)
_SESSION: TypeAdapter[SessionForm] = TypeAdapter(SessionForm)
_keys = itertools.count(1)

POLICY = workflow.SandboxImportNotificationPolicy
STRICT_SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_import_notification_policy(
        POLICY.WARN_ON_DYNAMIC_IMPORT | POLICY.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
)


def new_key() -> str:
    return f"key-{next(_keys)}-{uuid.uuid4().hex[:8]}"


def with_days_off(calendar: Calendar, first: date, last: date, name: str = "b") -> Calendar:
    """The same calendar as another version in which nobody works from `first` to `last`."""
    off = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    work = tuple(day for day in calendar.work if day not in off)
    return calendar.model_copy(
        update={"version": f"{calendar.version}-{name}", "off": tuple(sorted({*calendar.off, *off})), "work": work}
    )


def resident(number: int = 1) -> Actor:
    return Actor(id=f"resident-{number:04d}", grants=(Grant(role=Role.RESIDENT),))


def settings_for(database_url: str, temporal_address: str, task_queue: str, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": database_url, "temporal_address": temporal_address, "task_queue": task_queue,
        "data_keys": KEY, "dev_token_secret": TOKEN_SECRET, "db_pool_max": 10,
    }  # fmt: skip
    return Settings.model_validate(values | more)


@dataclass
class Product:
    """Desk, worker, database and Temporal in one process, all real."""

    environment: WorkflowEnvironment
    desk: Desk
    task_queue: str
    pool: Pool
    settings: Settings
    new_worker: Callable[[], Worker]
    serving: Worker | None = None
    _runs: asyncio.Task[None] | None = None

    # ---- the worker

    async def present_worker(self) -> None:
        self.serving = self.new_worker()
        self._runs = asyncio.create_task(self.serving.run())

    async def absent_worker(self) -> None:
        """Gone as if it had been stopped; what it held is forgotten."""
        if self.serving is not None and self._runs is not None:
            await self.serving.shutdown()
            await self._runs
            self.serving = self._runs = None

    async def end_for_good(self) -> None:
        """Meetings and schedules never end, and a killed worker's catching up does not either: their ids are the same in
        every module, and the next one's shall not be these."""
        for meeting in self.desk.district.meetings:
            with contextlib.suppress(RPCError):
                await self.handle(f"meeting-{meeting.id}").terminate()
            with contextlib.suppress(RPCError):
                await self.environment.client.get_schedule_handle(cadence_schedule_id(meeting.id)).delete()
        await self.end_rotations()

    async def end_rotations(self) -> None:
        for rotation in self.desk.district.rotations:
            schedule = rotation_schedule_id(rotation.community)
            with contextlib.suppress(RPCError):
                await self.environment.client.get_schedule_handle(schedule).delete()
            with contextlib.suppress(RPCError):
                await self.handle(f"{schedule}-at-start").terminate()

    # ---- people

    def person(self, person_id: str) -> Actor:
        found = self.desk.district.person(person_id)
        return Actor(id=found.id, grants=tuple(found.grants))

    @property
    def supervisor(self) -> Actor:
        return self.person(SUPERVISOR)

    @property
    def operator(self) -> Actor:
        return self.person(OPERATOR)

    def worker_of(self, grid: str) -> Actor:
        return self.person(self.desk.district.grid(grid).duty_worker)

    def substitute_of(self, grid: str) -> Actor:
        return self.person(self.desk.district.grid(grid).substitute)

    def secretary_of(self, community: str) -> Actor:
        return self.person(self.desk.district.secretary(community))

    def keeper_of(self, meeting: str) -> Actor:
        """Who keeps the minutes: the secretary, in the committee a supervisor."""
        return self.supervisor if meeting == self.desk.district.id else self.secretary_of(meeting)

    def chair_of(self, session: Session) -> Actor:
        assert session.chair is not None, "it has been opened"
        return self.person(session.chair.person)

    def liaison_of(self, unit: str) -> Actor:
        return self.person(self.desk.district.unit(unit).liaison)

    # ---- verbs

    async def submit(self, by: Actor | None = None, *, grid: str | None = "xuanhualu-01", **more: Any) -> str:
        values: dict[str, Any] = {"text": "楼下路灯坏了", "category": CONSULT, **more}
        if grid is not None:
            values.setdefault("location", {"grid": grid})
        form = SubmitForm.model_validate(values)
        return (await intake.submit(self.desk, by or resident(), form, new_key())).number

    async def act(self, number: str, by: Actor, type: str, *, key: str | None = None, **more: Any) -> Demand:
        form = _ACTION.validate_python({"type": type, **more})
        return await actions.act(self.desk, by, number, form, key or new_key())

    async def decide(self, meeting: str, by: Actor, number: str, kind: str, **more: Any) -> Demand:
        """In a session with quorum, which is opened if none is; a late item is let in by its chair."""
        form, key = self.decision(number, kind, **more), new_key()
        session = await self.sit(meeting)
        try:
            return await self.decide_now(meeting, by, form, key=key)
        except DomainError as refused:
            if refused.code != "late_item":
                raise
        await self.hold(meeting, session, self.chair_of(session), "consent", number=number)
        return await self.decide_now(meeting, by, form, key=key)

    def decision(self, number: str, kind: str, **more: Any) -> DecisionForm:
        return DecisionForm.model_validate({"number": number, "kind": kind, **more})

    async def decide_now(self, meeting: str, by: Actor, form: DecisionForm, *, key: str = "") -> Demand:
        """As the meeting stands, whether it is in session or not."""
        return await meetings.decide(self.desk, by, meeting, form, key or new_key())

    async def sit(self, meeting: str) -> Session:
        """The session of the meeting that is open, or an extra one, convened and opened now and attended to quorum."""
        ahead = (await stored_meetings.ahead(self.pool)).get(meeting, [])
        found = next((one for one in ahead if one.state is SessionState.OPEN), None)
        if found is not None:
            return found
        keeper = self.keeper_of(meeting)
        session = await self.convene(meeting, keeper, kind="extra")
        session = await self.hold(meeting, session, keeper, "open")
        units = list(rules_of(self.desk.district, meeting).members)[: session.quorum]
        return await self.hold(meeting, session, keeper, "attend", units=units)

    async def take_up(self, meeting: str, number: str) -> Session:
        """The meeting sits, with quorum, and the demand on its agenda is let in even if it is late."""
        session = await self.sit(meeting)
        await self.until_agenda(meeting, number)
        return await self.hold(meeting, session, self.chair_of(session), "consent", number=number)

    async def convene(self, meeting: str, by: Actor, **form: Any) -> Session:
        return await sessions.convene(self.desk, by, meeting, _CONVENE.validate_python(form), new_key())

    async def hold(self, meeting: str, session: Session, by: Actor, type: str, **more: Any) -> Session:
        form = _SESSION.validate_python({"type": type, **more})
        return await sessions.act(self.desk, by, meeting, session.id, form, new_key())

    async def send(self, number: str, act: Act, *, update_id: str | None = None) -> Acted:
        """The update itself, past the service."""
        acted: Acted = await self.handle(number).execute_update("act", act, id=update_id, result_type=Acted)
        return acted

    # ---- looking

    def handle(self, number: str) -> WorkflowHandle[Any, Any]:
        return self.environment.client.get_workflow_handle(number)

    async def state(self, number: str) -> Demand:
        demand: Demand = await self.handle(number).query("state", result_type=Demand)
        return demand

    async def started(self, number: str) -> Demand:
        """The demand once its workflow answers."""

        async def asks() -> Demand | None:
            with contextlib.suppress(Exception):
                return await self.state(number)
            return None

        return await until(asks)

    async def row(self, number: str) -> Demand:
        return Demand.model_validate_json(
            await self.pool.fetchval("select state from demand where number = $1", number)
        )

    async def entries(self, number: str) -> list[Entry]:
        rows = await self.pool.fetch(
            "select seq, type, at, actor, data::text data, performed_at, hash from demand_event where number = $1"
            " order by seq",
            number,
        )  # fmt: skip
        return [
            Entry.model_validate({**dict(r), "data": TypeAdapter(dict[str, Any]).validate_json(r["data"])})
            for r in rows
        ]  # fmt: skip

    async def types(self, number: str) -> list[str]:
        return [e.type for e in await self.entries(number)]

    async def history_length(self, number: str) -> int:
        return (await self.handle(number).describe()).history_length

    async def history(self, number: str) -> str:
        return (await self.handle(number).fetch_history()).to_json()

    # ---- time

    async def pass_time(self, number: str, amount: timedelta) -> bool:
        return await self.environment.fast_forward(self.handle(number), amount)

    async def pass_until(self, number: str, at: datetime) -> bool:
        """Just past an instant on the clock of this demand's workflow."""
        now = await self.environment.get_current_time(self.handle(number))
        return await self.pass_time(number, at - now + timedelta(seconds=1))

    async def until_row(self, number: str, holds: Callable[[Demand], bool]) -> Demand:
        async def look() -> Demand | None:
            demand = await self.row(number)
            return demand if holds(demand) else None

        return await until(look)

    async def until_type(self, number: str, type: str, times: int = 1) -> list[str]:
        async def look() -> list[str] | None:
            types = await self.types(number)
            return types if types.count(type) >= times else None

        return await until(look)

    async def until_agenda(self, meeting: str, number: str) -> None:
        """The item stands in the meeting's own agenda and in the table."""

        async def look() -> bool | None:
            row = await self.pool.fetchval(
                "select 1 from meeting_item where meeting = $1 and number = $2 and ended_at is null", meeting, number
            )
            return True if row else None

        await until(look)


async def until(look: Callable[[], Awaitable[T | None]], *, seconds: float = 60.0) -> T:
    """What `look` finds, as soon as it finds something. The patience outlasts every lease of the product (20 s)."""
    give_up = asyncio.get_running_loop().time() + seconds
    while True:
        found = await look()
        if found is not None:
            return found
        if asyncio.get_running_loop().time() > give_up:
            raise AssertionError(f"did not happen within {seconds} s")
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running_product(
    environment: WorkflowEnvironment,
    database_url: str,
    *,
    serve: bool = True,
    worker_url: str | None = None,
    **settings: Any,
) -> AsyncIterator[Product]:
    """The product on one database; with `serve` also its worker, which may have an address of its own for it."""
    configure_logging("info")  # as both composition roots do
    task_queue = f"tests-{uuid.uuid4().hex[:8]}"
    address = environment.client.service_client.config.target_host
    chosen = settings_for(database_url, address, task_queue, **settings)
    pool = await open_pool(database_url, size=6)
    worker_pool = await open_pool(worker_url or database_url, size=6)
    watch = open_watch(chosen, worker_pool)
    bodies, turns = Bodies(watch), Turns(watch, worker_pool)
    sealer = Sealer(chosen.key_ring())
    activities = activities_of(worker_pool, environment.client, task_queue, sealer, bodies.rules)

    def new_worker() -> Worker:
        return Worker(
            environment.client, task_queue=task_queue, workflows=[ResidentDemand, JointMeeting, ConveneMeeting, ChairRotation],
            activities=[*activities, turns.hand_over],
            workflow_runner=STRICT_SANDBOX, workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
            graceful_shutdown_timeout=timedelta(seconds=1),
        )  # fmt: skip

    desk = await open_desk(chosen)
    try:
        product = Product(environment, desk, task_queue, pool, chosen, new_worker)
        if serve:
            await product.present_worker()
        try:
            yield product
        finally:
            await product.absent_worker()
            await product.end_for_good()
    finally:
        await desk.close()
        await pool.close()
        worker_pool.terminate()

"""schemathesis against a running product: every operation of the OpenAPI document, as one caller after another.

All checks are on; `_CHECKS` widens three of them to what our documents say. An answer of 5xx is a failure whatever is
declared, 503 too: nothing is down here. Used by `python -m bench.fuzz` and by tests/contract/test_schemathesis.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.ground import BenchError
from devstack.stack import Stack
from service.tokens import mint

SKIPPED = {
    "stream_events": "its answer has no end: the stream is held open until the client goes",
    "stream_demand_events": "its answer has no end: the stream is held open until the client goes",
}
"""Operations that are not run, and why."""

# A rule may refuse what the form permits (an unknown unit, a stage, an If-Match that is missing or old), and an order of
# refusals may come first: whoever is unknown is told so, whatever else is wrong.
_REFUSALS = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429]
_CHECKS: dict[str, Any] = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", *_REFUSALS]},
    "negative_data_rejection": {"expected-statuses": _REFUSALS},
    "missing_required_header": {"expected-statuses": [400, 401, 403, 404, 406, 412, 415, 422, 428]},
}
_GRID, _CONSULT, _REPORTER = "xuanhualu-01", "120101", "resident-0001"
_PEOPLE = {"admin": "p-0008", "supervisor": "p-0002", "integrator": "p-0009", "resident": _REPORTER}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """`headers` is what it presents: nothing, a token, a resident's session."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`examples`: of an operation in a phase. `values`: ids that exist, by parameter: `path.number`, `query.unit`."""

    examples: int
    seed: int
    phases: tuple[str, ...]
    operations: frozenset[str] | None = None
    values: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Failing:
    operation: str
    check: str
    said: str
    curl: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.check}: {self.said[:600]}\n  {self.curl[:800]}"


@dataclass
class Outcome:
    caller: str
    cases: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[Failing] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Everything for which the run is no good: failed checks, and cases that could not be run."""
        return [*map(str, self.failures), *self.errors]

    def add(self, other: Outcome) -> None:
        self.cases += other.cases
        self.operations |= other.operations
        self.statuses += other.statuses
        self.failures += other.failures
        self.errors += other.errors

    def __str__(self) -> str:
        counts = " ".join(f"{status}×{count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.caller:<11}{self.cases:>7} cases{len(self.operations):>5} operations"
            f"{len(self.failures):>4} failures{len(self.errors):>4} errors   {counts}"
        )


class Ground:
    """A running stack with something in it, and who may be there."""

    def __init__(self, stack: Stack) -> None:
        from api.openapi import product_document

        self.stack = stack
        self.document = product_document()
        self._client = httpx2.Client(base_url=stack.url, timeout=30)
        self.numbers = [self.submit(f"fuzz-{n}") for n in range(6)]

    def close(self) -> None:
        self._client.close()

    def bearer(self, person: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {mint(self.stack.token_secret, person)}"}

    def submit(self, key: str) -> str:
        """Also the sign of life: after everything that was sent, a demand must still be taken."""
        said = {"text": "楼道灯不亮", "category": _CONSULT, "location": {"grid": _GRID}}
        headers = self.bearer(_REPORTER) | {"Idempotency-Key": key}
        answer = self._client.post("/api/v1/demands", json=said, headers=headers)
        if answer.status_code != 201:
            raise BenchError(f"A plain demand was answered {answer.status_code}: {answer.text[:500]}")
        number: str = answer.json()["number"]
        return number

    def callers(self) -> list[Caller]:
        """Roles that reach most, an integrator, a resident, and nobody; then a reporter by number and code."""
        known = [Caller(name=name, headers=self.bearer(person)) for name, person in _PEOPLE.items()]
        return [*known, Caller(name="reporter", headers=self._session()), Caller(name="nobody")]

    def _session(self) -> dict[str, str]:
        number = self.numbers[-1]
        renewed = self._client.post(
            f"/api/v1/demands/{number}/reporter-code",
            headers=self.bearer("p-0004") | {"Idempotency-Key": f"fuzz-code-{number}"},
        )
        code = renewed.json().get("code", "")
        answer = self._client.post("/api/v1/resident/session", json={"number": number, "code": code})
        if answer.status_code != 201:
            raise BenchError(f"The reporter was not let in: {answer.status_code} {answer.text[:300]}")
        return {"Authorization": f"Resident {answer.json()['token']}"}

    def values(self) -> dict[str, list[str]]:
        return {
            "path.number": self.numbers, "path.meeting": ["xuanhualu", "shengli-road"], "path.community": ["xuanhualu"],
            "path.fmt": ["json", "xml"], "path.service_request_id": self.numbers, "path.grid": [_GRID],
        }  # fmt: skip

    def alive(self, caller: Caller) -> list[str]:
        """What the run has broken for good: the caller's own standing, or the product's first task."""
        self.submit(f"fuzz-after-{caller.name}")
        if caller.name in _PEOPLE and self._client.get("/api/v1/session", headers=caller.headers).status_code != 200:
            return [f"{caller.name} is nobody any more"]
        return []


def operation_ids(document: dict[str, Any]) -> list[str]:
    found = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    return [id for id in found if id not in SKIPPED]


def run(ground: Ground, caller: Caller, plans: Iterable[Plan]) -> Outcome:
    """Blocks until the plans are done."""
    total = Outcome(caller.name)
    for plan in plans:
        total.add(_run(ground.document, ground.stack.url, caller, plan))
    total.errors += ground.alive(caller)
    return total


def _run(document: dict[str, Any], url: str, caller: Caller, plan: Plan) -> Outcome:
    import schemathesis
    from schemathesis import engine
    from schemathesis.engine import events

    wanted = [id for id in operation_ids(document) if plan.operations is None or id in plan.operations]
    whole = schemathesis.openapi.from_dict(json.loads(json.dumps(document)), config=_config(url, caller, plan))
    schema = whole.include(operation_id=wanted)
    outcome = Outcome(caller.name)
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(outcome, event)
        elif isinstance(event, events.NonFatalError):
            outcome.errors.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return outcome


def _config(url: str, caller: Caller, plan: Plan) -> Any:
    from schemathesis.config import SchemathesisConfig

    names = {parameter: parameter.replace(".", "-").replace("_", "-") for parameter in plan.values}
    return SchemathesisConfig.from_dict({
        "seed": plan.seed, "base-url": url, "headers": dict(caller.headers), "request-timeout": 30.0,
        "continue-on-failure": True, "checks": _CHECKS,
        "generation": {"max-examples": plan.examples, "database": "none", "no-shrink": True},
        "phases": {"enabled": False, **{phase: {"enabled": True} for phase in plan.phases}},
        "dictionaries": {names[one]: {"values": values} for one, values in plan.values.items()},
        "parameters": {one: {"dictionary": names[one], "probability": 0.6} for one in plan.values},
    })  # fmt: skip


def _count(outcome: Outcome, event: Any) -> None:
    recorder = event.recorder
    for id, interaction in recorder.interactions.items():
        outcome.cases += 1
        if id in recorder.cases:
            outcome.operations.add(recorder.cases[id].value.operation.label)
        outcome.statuses[interaction.response.status_code if interaction.response is not None else 0] += 1
    for checks in recorder.checks.values():
        for failed in (check for check in checks if check.failure_info is not None):
            told = failed.failure_info
            said = f"{told.failure.title}: {told.failure.message}"
            outcome.failures.append(Failing(event.label or "", failed.name, said, told.code_sample))

"""The product's words as enums: one word per thing, the same in code, API, database and pages."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where a demand stands: 受理 · 网格 · 成员单位 · 联席会议 · 回访反馈 · 结案."""

    INTAKE = "intake"
    GRID = "grid"
    UNIT = "unit"
    MEETING = "meeting"
    FEEDBACK = "feedback"
    CLOSED = "closed"


class Role(StrEnum):
    RESIDENT = "resident"
    OPERATOR = "operator"
    GRID_WORKER = "grid_worker"
    UNIT_LIAISON = "unit_liaison"
    CHAIR = "chair"
    COMMUNITY_SECRETARY = "community_secretary"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMIN = "admin"
    SYSTEM = "system"


class Channel(StrEnum):
    """The door a demand came through."""

    RESIDENT = "resident"
    HOTLINE = "hotline"
    PATROL = "patrol"
    OPEN311 = "open311"
    API = "api"
    IMPORT = "import"


class Outcome(StrEnum):
    """How a closed demand ended (product.md, closed). Not satisfied, both: `unconfirmed` was asked and gave no answer,
    `unreachable` was called or visited and never met."""

    RESOLVED = "resolved"
    EXPLAINED = "explained"
    FINAL_REPLY = "final_reply"
    OUT_OF_SCOPE = "out_of_scope"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"
    UNCONFIRMED = "unconfirmed"
    UNREACHABLE = "unreachable"


class ClockName(StrEnum):
    """What is promised. `accept`, `contact`, `resolve`, `follow_up` are the resident's four clocks.

    `refusal_window` and `unit_due` belong to the lead unit's task; `pause` bounds how long the others may stand still.
    """

    LOCATE = "locate"
    ACCEPT = "accept"
    CONTACT = "contact"
    RESOLVE = "resolve"
    REFUSAL_WINDOW = "refusal_window"
    UNIT_DUE = "unit_due"
    PAUSE = "pause"
    DECIDE = "decide"
    APPROVE = "approve"
    FOLLOW_UP = "follow_up"
    CALL_BACK = "call_back"
    REVIEW = "review"
    REOPEN = "reopen"


class Solved(StrEnum):
    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Satisfied(StrEnum):
    SATISFIED = "satisfied"
    BASICALLY = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


class DecisionKind(StrEnum):
    """What a joint meeting can decide about an item."""

    ASSIGN = "assign"
    PROJECT = "project"
    SHELVE = "shelve"
    ESCALATE = "escalate"
    RETURN_TO_GRID = "return_to_grid"
    FINAL_REPLY = "final_reply"

"""What can be done with a demand, as forms: for each command that an answer permits its fields with their choices.

    actions = await actions_for(desk, visitor, demand, permitted)
    {% from "case/actions.html" import action_buttons, action_sheets with context %}

For every page that lets somebody act. Which commands there are is `permitted`; nothing here looks at a role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.demand import Demand
from domain.errors import DomainError
from domain.vocabulary import Role
from service import lists
from service.desk import Desk
from web.board_choices import Option, categories
from web.visitor import Visitor

Kind = Literal[
    "choice", "select", "text", "area", "check", "flag", "files", "category", "location", "duplicates", "fixed"
]


@dataclass(frozen=True)
class Field:
    """`name` as send.js reads it; `label` names a sentence `case.field.<label>`; `type` is send.js's data-type."""

    name: str
    kind: Kind
    label: str = ""
    options: tuple[Option, ...] = ()
    groups: tuple[tuple[str, str, tuple[Option, ...]], ...] = ()
    required: bool = True
    type: str = ""


@dataclass(frozen=True)
class Action:
    """One command; `key` tells apart two forms of one command, `tone` colours its button."""

    type: str
    icon: str
    tone: Literal["primary", "plain", "danger"]
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        return self.type


NOTE = Field("note", "area", "note", required=False)
PHOTOS = Field("file_ids[]", "files", "files", required=False)

# In the order in which a page offers them: what moves the demand on first, what only says something last.
_ORDER = (
    "decide_extension", "decide_final_reply", "verify", "locate", "accept", "contact", "confirm", "call_back", "resume",
    "resolve", "co_accept", "co_done", "hand_off", "refuse", "co_refuse", "request_info", "extend", "urge", "reassign",
    "swap_lead", "add_co_units", "co_release", "supervise", "escalate", "reclassify", "merge", "unmerge", "note", "attach",
    "reopen", "withdraw",
)  # fmt: skip
_ICONS = {
    "decide_extension": "clock", "decide_final_reply": "file-text", "verify": "eye", "locate": "map-pin", "accept": "check",
    "contact": "phone", "confirm": "message", "call_back": "phone", "resume": "player-play", "resolve": "circle-check",
    "co_accept": "check", "co_done": "circle-check", "hand_off": "building", "refuse": "arrow-back-up",
    "co_refuse": "arrow-back-up", "request_info": "player-pause", "extend": "clock", "urge": "bell",
    "reassign": "arrows-exchange", "swap_lead": "arrows-exchange", "add_co_units": "users", "co_release": "x",
    "supervise": "flag", "escalate": "gavel", "reclassify": "list-check", "merge": "link", "unmerge": "x", "note": "pencil",
    "attach": "photo", "reopen": "refresh", "withdraw": "trash",
}  # fmt: skip
_DANGER = frozenset({"withdraw", "refuse", "co_refuse", "unmerge"})
_LEADS = frozenset(_ORDER[:12])

BASES = ("wrong_grid", "not_our_duty", "no_power", "no_resources", "other_unit_responsible")
PAUSES = ("awaiting_reporter", "awaiting_access", "awaiting_material", "ownership_dispute", "weather")
EXTENSIONS = ("complex_works", "procurement", "third_party", "season", "approval_pending")
ESCALATIONS = ("nobody_responsible", "several_units", "beyond_power", "repeat", "resident_asks")


async def actions_for(desk: Desk, visitor: Visitor, demand: Demand, permitted: Sequence[str]) -> list[Action]:
    """In the order of the page; the first that is a `primary` one is the step that the demand waits for."""
    fields = _Fields(desk, visitor, demand, await _units(desk, visitor, demand, permitted))
    found: list[Action] = []
    for name in (one for one in _ORDER if one in permitted):
        first = name in _LEADS and not any(action.tone == "primary" for action in found)
        tone: Literal["primary", "plain", "danger"] = "danger" if name in _DANGER else "primary" if first else "plain"
        found.append(Action(name, _ICONS[name], tone, fields.of(name)))
    return found


async def _units(desk: Desk, visitor: Visitor, demand: Demand, permitted: Sequence[str]) -> tuple[Option, ...]:
    """Units of the community; those whose resources meet the demand first, and marked."""
    if demand.place is None or not {"hand_off", "swap_lead", "add_co_units"} & set(permitted):
        return ()
    try:
        matches = (await lists.resources_for(desk, visitor.staff, demand.number))["matches"]
    except DomainError:
        matches = []
    fits = [m["unit"]["id"] for m in matches if m["fits"]]
    mark = visitor.t("case.field.fits")
    named = [
        (u.id, f"{u.name}{mark}" if u.id in fits else u.name) for u in desk.district.units_of(demand.place.community)
    ]
    return tuple(sorted(named, key=lambda one: (one[0] not in fits, one[1])))


class _Fields:
    """The fields of each command for one demand."""

    def __init__(self, desk: Desk, visitor: Visitor, demand: Demand, units: tuple[Option, ...]) -> None:
        self._desk, self._v, self._d, self._units = desk, visitor, demand, units
        self._t = visitor.t

    def of(self, command: str) -> tuple[Field, ...]:
        found = self._TABLE.get(command)
        return found(self) if found else (NOTE,)

    def _words(self, prefix: str, codes: Iterable[str]) -> tuple[Option, ...]:
        return tuple((code, self._t(f"case.{prefix}.{code}")) for code in codes)

    def _choice(self, name: str, prefix: str, codes: Iterable[str], **more: str) -> Field:
        return Field(name, "choice", name, self._words(prefix, codes), type=more.get("type", ""))

    def _select(self, name: str, prefix: str, codes: Iterable[str]) -> Field:
        return Field(name, "select", name, self._words(prefix, codes))

    def _yes_no(self, name: str, prefix: str) -> Field:
        options = tuple((code, self._t(f"case.{prefix}.{code}")) for code in ("true", "false"))
        return Field(name, "choice", name, options, type="bool")

    def _workers(self) -> tuple[Option, ...]:
        holders = self._desk.district.directory.holders.get((Role.GRID_WORKER, self._d.community), ())
        return tuple((p.id, p.name) for p in holders if p.id != self._d.holder)

    def _co(self, *states: str) -> tuple[Option, ...]:
        known = self._desk.district.directory.units
        mine = [t.unit for t in self._d.co_tasks if t.state in states]
        return tuple((unit, known[unit].name if unit in known else unit) for unit in mine)

    def _reclassify(self) -> tuple[Field, ...]:
        groups = categories(self._desk, english=self._v.english)
        return (Field("category", "category", "category", groups=tuple((c, n, tuple(o)) for c, n, o in groups)), NOTE)

    def _co_units(self) -> tuple[Field, ...]:
        free = {t.unit for t in self._d.co_tasks if t.open} | {self._d.unit}
        options = tuple((f'{{"unit": "{id}", "required": true}}', name) for id, name in self._units if id not in free)
        return (Field("co_units[]", "check", "co_units", options, type="json"), NOTE)

    def _location(self) -> tuple[Field, ...]:
        d = self._desk.district.directory
        mine = [c for c in d.communities if self._d.community in (None, c)]
        grids = tuple((g.id, f"{d.communities[c].name} · {g.name}") for c in mine for g in d.grids_of.get(c, ()))
        names = sorted({one.name for one in d.compounds.values() if one.community in mine})
        return (
            Field("location", "location", "location", grids, groups=(("", "", tuple((n, n) for n in names)),)),
            NOTE,
        )

    def _call_back(self) -> tuple[Field, ...]:
        return (
            self._choice("channel", "channel", ("phone", "visit", "sms", "link")),
            self._choice("result", "result", ("no_answer", "wrong_number", "declined")),
            NOTE,
        )

    def _confirm(self) -> tuple[Field, ...]:
        return (
            self._yes_no("contacted", "yes_no"),
            self._choice("solved", "solved", ("yes", "partly", "no")),
            self._choice("satisfied", "satisfied", ("satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")),
            NOTE,
        )  # fmt: skip

    def _extend(self) -> tuple[Field, ...]:
        days = Field("working_days", "choice", "working_days", (("1", "1"), ("2", "2"), ("3", "3")), type="int")
        return days, self._select("basis", "reason", EXTENSIONS), NOTE

    def _resolve(self) -> tuple[Field, ...]:
        photos = Field("file_ids[]", "files", "evidence", required=self._d.terms.evidence)
        return (
            Field("reply", "area", "reply"), self._choice("outcome", "outcome", ("resolved", "explained")), photos, NOTE,
        )  # fmt: skip

    def _unit(self, name: str, *, required: bool) -> tuple[Field, ...]:
        return Field("unit", "select", name, self._units, required=required), NOTE

    _TABLE: ClassVar[dict[str, Callable[[_Fields], tuple[Field, ...]]]] = {
        "reassign": lambda s: (Field("person", "select", "person", s._workers()), NOTE),
        "extend": _extend,
        "decide_extension": lambda s: (s._yes_no("approved", "approved"), NOTE),
        "decide_final_reply": lambda s: (s._yes_no("approved", "approved_reply"), NOTE),
        "supervise": lambda s: (
            s._choice("deed", "deed", ("order", "take_over", "return")), Field("note", "area", "order"),
        ),
        "reclassify": _reclassify,
        "merge": lambda s: (Field("primary", "duplicates", "primary"), Field("same_reporter", "flag", "same_reporter",
                            required=False, type="bool"), NOTE),
        "escalate": lambda s: (s._choice("reason", "reason", ESCALATIONS), NOTE),
        "verify": lambda s: (s._yes_no("ok", "verified"), NOTE, PHOTOS),
        "call_back": _call_back,
        "confirm": _confirm,
        "locate": _location,
        "note": lambda s: (Field("note", "area", "note_text"), PHOTOS),
        "attach": lambda s: (Field("file_ids[]", "files", "files"), NOTE),
        "resolve": _resolve,
        "hand_off": lambda s: s._unit("unit_or_rules", required=False),
        "swap_lead": lambda s: s._unit("unit", required=True),
        "refuse": lambda s: (
            s._choice("basis", "reason", BASES if s._d.stage == "grid" else BASES[1:]),
            Field("note", "area", "basis_note", required=False),
        ),
        "co_refuse": lambda s: (
            s._choice("basis", "reason", BASES[1:]), Field("unit", "select", "unit", s._co("offered")), NOTE,
        ),
        "co_accept": lambda s: (Field("unit", "select", "unit", s._co("offered")), NOTE),
        "co_done": lambda s: (Field("unit", "select", "unit", s._co("offered", "bound")), NOTE),
        "co_release": lambda s: (Field("unit", "select", "unit", s._co("offered", "bound")), NOTE),
        "request_info": lambda s: (s._choice("reason", "reason", PAUSES), NOTE),
        "add_co_units": _co_units,
        "contact": lambda s: (Field("note", "area", "contact_note", required=False),),
    }  # fmt: skip

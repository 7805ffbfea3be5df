"""An explained due instant: a chain of steps, each with the lines that made it, and how it reads as a text."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.explain_words import clock_words
from domain.reasons import Line
from domain.tasks import ClockKey

Language = Literal["zh", "en"]
LinkKind = Literal[
    "replanned",  # reckoned anew, for another class or by another calendar; what follows is under those
    "budget",  # what was promised, from the start
    "fixed",  # the instant that was set when it started
    "pause",
    "redo",  # a stop that was taken back: a pause as well
    "extension",
    "decision",  # the instant that a joint meeting set
    "open_pause",  # it stands still: when it is due nobody knows yet
    "stopped",
    "broken",  # past its due instant and still running
    "provisional",  # rests on days whose holidays are not published
    "gap",  # the chain does not arrive at the clock's due instant
]
SHIFTING: frozenset[LinkKind] = frozenset({"budget", "fixed", "pause", "redo", "extension", "decision"})
"""The steps that make the due instant; each begins where the one before ended."""


class Link(BaseModel):
    """One step. `due_before` is None where there was no due instant yet, `due_after` where nobody knows it now.

    `lines` are the stretches of time that it counted, or lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LinkKind
    due_before: datetime | None
    due_after: datetime | None
    text_zh: str
    text_en: str
    lines: tuple[Line, ...] = ()


class Explanation(BaseModel):
    """Why `clock` is due at `due_at` (None while it stands still), by the calendar `calendar`.

    `complete`: the steps arrive at the clock's own due instant. Where they do not, a step `gap` says so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clock: ClockKey
    calendar: str
    timezone: str
    started_at: datetime
    due_at: datetime | None
    provisional: bool
    complete: bool
    steps: tuple[Link, ...]


def as_text(explanation: Explanation, language: Language = "zh") -> str:
    """The chain to read: the due instant, then each step with its lines below it."""
    zone = ZoneInfo(explanation.timezone)
    zh = language == "zh"
    name = clock_words(explanation.clock)[0 if zh else 1]
    if explanation.due_at is None:
        head = f"{name}：暂停中，到期未知" if zh else f"{name}: paused, due unknown"
    else:
        due = f"{explanation.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
        head = f"{name}：到期 {due}" if zh else f"{name}: due {due}"
    by = f"日历 {explanation.calendar}，{zone.key} 时间" if zh else f"calendar {explanation.calendar}, {zone.key} time"
    rows = [f"{head}（{by}）" if zh else f"{head} ({by})"]
    for number, step in enumerate(explanation.steps, 1):
        rows.append(f"{number}. {step.text_zh if zh else step.text_en}")
        rows += [f"   {line.text_zh if zh else line.text_en}" for line in step.lines]
    return "\n".join(rows) + "\n"

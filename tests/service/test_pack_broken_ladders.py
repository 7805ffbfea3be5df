"""A broken ladder 催办 is never half loaded: it says where, what, and what to do about it."""

from pathlib import Path

import pytest

from tests.service.breaking import Break, a_copy, problems_of, remove_line, replace


def first_ladder(steps: str, when: str = 'when = { classes = ["emergency"] }') -> Break:
    """Another ladder before those that there are; `steps` are its steps as TOML."""
    ladder = f'[[ladders]]\nid = "broken"\n{when}\nsteps = [{steps}]\n\n[[ladders]]\n'
    return replace("sla.toml", "[[ladders]]\n", ladder)


def with_step(step: str) -> Break:
    """A step that is broken, and one that is not: what is said is said of the first."""
    return first_ladder(f'{step}, {{ do = "remind", percent = 60 }}')


BROKEN: dict[str, tuple[Break, str, str]] = {
    # what: (how it is broken, part of the key, part of the problem or of the remedy)
    "two steps in one place": (
        first_ladder('{ do = "remind", percent = 50 }, { do = "remind", percent = 50, clocks = ["resolve"] }'),
        "ladders[broken]",
        "two steps stand at the same place for the same clock. Change the value",
    ),
    "reminder after the due instant": (
        with_step('{ do = "remind", after = { amount = 1, unit = "hours" } }'),
        "ladders[broken].steps[0]",
        "before the due instant a step is `remind`; after it",
    ),
    "notice before the due instant": (
        with_step('{ do = "notice", percent = 80 }'),
        "ladders[broken].steps[0]",
        "before the due instant a step is `remind`; after it",
    ),
    "breach that is not the due instant": (
        with_step('{ do = "breach", percent = 90 }'),
        "ladders[broken].steps[0]",
        "the due instant is `breach` at 100 percent",
    ),
    "step without a place": (
        with_step('{ do = "remind" }'),
        "ladders[broken].steps[0]",
        "a `percent` of the clock or `after` its due instant",
    ),
    "step in two places": (
        with_step('{ do = "notice", percent = 120, after = { amount = 1, unit = "hours" } }'),
        "ladders[broken].steps[0]",
        "one of the two",
    ),
    "step of an unknown clock": (
        with_step('{ do = "remind", percent = 50, clocks = ["resolv"] }'),
        "ladders[broken].steps[0].clocks[0]",
        "'resolve'",
    ),
    "step of a clock that nobody promises": (
        with_step('{ do = "remind", percent = 50, clocks = ["reopen"] }'),
        "ladders[broken].steps[0].clocks",
        "nobody promises reopen: a step belongs to locate, accept",
    ),
    "step that does something unknown": (
        with_step('{ do = "shame", percent = 150 }'),
        "ladders[broken].steps[0].do",
        "'far_breach'",
    ),
    "step that tells a stranger": (
        with_step('{ do = "remind", percent = 50, tell = ["mayor"] }'),
        "ladders[broken].steps[0].tell[0]",
        "'supervisor'",
    ),
    "ladder without steps": (first_ladder(""), "ladders[broken].steps", "at least 1"),
    "ladder with too many steps": (
        first_ladder(", ".join(f'{{ do = "remind", percent = {n} }}' for n in range(1, 14))),
        "ladders[broken].steps",
        "at most 12",
    ),
    "ladder for all that is not the last": (
        first_ladder('{ do = "remind", percent = 50 }', when=""),
        "ladders",
        "a ladder without `when` takes every demand: it must be the last one",
    ),
    "no ladder for the rest": (
        replace("sla.toml", 'id = "ordinary"\n', 'id = "ordinary"\nwhen = { classes = ["ordinary"] }\n'),
        "ladders",
        "the last ladder has no `when`",
    ),
    "condition that says nothing": (
        first_ladder('{ do = "remind", percent = 50 }', when="when = {}"),
        "ladders[broken].when",
        "leave it out, and put that ladder last",
    ),
    "two ladders of one id": (
        replace("sla.toml", 'id = "ordinary"\n', 'id = "emergency"\n'),
        "ladders",
        "two ladders have the same id",
    ),
    "ladder for an unknown category": (
        first_ladder('{ do = "remind", percent = 50 }', when='when = { categories = ["0199"] }'),
        "ladders[broken].when.categories",
        "Did you mean",
    ),
    "ladder for an unknown class": (
        first_ladder('{ do = "remind", percent = 50 }', when='when = { classes = ["urgent"] }'),
        "ladders[broken].when.classes[0]",
        "'emergency'",
    ),
    "no limit of pauses": (remove_line("sla.toml", "pause_limit ="), "pause_limit", "Add `pause_limit`"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_ladder_says_where_and_what_to_do(tmp_path: Path, what: str) -> None:
    break_it, key, words = BROKEN[what]
    pack = a_copy(tmp_path)
    break_it(pack)
    error = problems_of(pack)
    (problem,) = error.problems
    assert (problem.file, problem.key) == ("pack/sla.toml", key), str(error)
    assert words in f"{problem.problem}. {problem.remedy}", str(error)

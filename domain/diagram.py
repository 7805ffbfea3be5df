"""The life of a demand, drawn from the rules: a diagram for readers and the whole table for those who must know.

`python -m domain.diagram` prints docs/reference/lifecycle.md.
"""

from __future__ import annotations

from domain.lifecycle import RULES, Rule
from domain.vocabulary import Stage

CHINESE = {
    Stage.INTAKE: "受理", Stage.GRID: "网格", Stage.UNIT: "成员单位", Stage.MEETING: "联席会议",
    Stage.FEEDBACK: "回访反馈", Stage.CLOSED: "结案",
}  # fmt: skip

HEAD = """\
# Lifecycle 诉求流转

Written from `domain/lifecycle.py`, which alone decides who may do what to a demand, and when. A row says: in these stages,
these people may send this command, and it leaves the demand in one of the stages on the right.

"""

TABLE_HEAD = """\

| command | stages | who | leads to | also needs |
|---|---|---|---|---|
"""


def moves() -> list[tuple[Stage, Stage, tuple[str, ...]]]:
    """Every way from a stage to another one, with the commands that take it, in the order of the rules."""
    found: dict[tuple[Stage, Stage], list[str]] = {}
    for rule in RULES:
        for stage in rule.stages:
            for to in rule.to:
                if stage is not to and _moves(rule):
                    found.setdefault((stage, to), []).append(rule.command)
    return [(stage, to, tuple(commands)) for (stage, to), commands in found.items()]


def _moves(rule: Rule) -> bool:
    """A rule whose targets are its own stages leaves a demand where it is."""
    return set(rule.stages) != set(rule.to)


def mermaid() -> str:
    """A `stateDiagram-v2`; commands that leave a demand where it is are not drawn."""
    lines = ["stateDiagram-v2", "    direction LR"]
    lines += [f"    {stage}: {stage} {CHINESE[stage]}" for stage in Stage]
    lines += [f"    [*] --> {stage}" for stage in (Stage.INTAKE, Stage.GRID, Stage.UNIT, Stage.MEETING)]
    lines += [f"    {stage} --> {to}: {', '.join(commands)}" for stage, to, commands in moves()]
    lines.append(f"    [*] --> {Stage.CLOSED}: somebody else's business")
    lines.append(f"    {Stage.FEEDBACK} --> {Stage.CLOSED}: nobody answers")
    lines.append(f"    {Stage.CLOSED} --> [*]: reopen window over")
    return "\n".join(lines) + "\n"


def table() -> str:
    """The rules as Markdown rows, one to a rule."""
    rows = (
        f"| `{rule.command}` | {', '.join(rule.stages)} | {', '.join(rule.who)} | "
        f"{'stays' if not _moves(rule) else ', '.join(rule.to)} | {_needs(rule)} |\n"
        for rule in RULES
    )
    return TABLE_HEAD + "".join(rows)


def _needs(rule: Rule) -> str:
    return "<br>".join(f"else `{need.code}`: {need.rule}" for need in rule.needs)


def page() -> str:
    return f"{HEAD}```mermaid\n{mermaid()}```\n{table()}"


if __name__ == "__main__":
    print(page(), end="")

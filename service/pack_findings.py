"""Collects what is wrong with a pack while its references are checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from domain.errors import ConfigError, DomainError


class Findings:
    """Problems in the order in which they were found; `pack` is the folder's name."""

    def __init__(self, pack: str) -> None:
        self.pack = pack
        self.problems: list[ConfigError] = []

    def add(self, file: str, key: str, problem: str, remedy: str) -> None:
        self.problems.append(ConfigError(f"{self.pack}/{file}", key, problem, remedy))

    def known(self, file: str, key: str, value: str, among: Collection[str], kept_in: str) -> bool:
        """Whether a reference leads somewhere; if not, the nearest spelling is offered."""
        if value in among:
            return True
        close = get_close_matches(value, among, n=1)
        hint = f"Did you mean `{close[0]}`? Otherwise add" if close else "Add"
        self.add(file, key, f"`{value}` is unknown", f"{hint} `{value}` to {kept_in}, or correct the reference")
        return False

    def unique(self, file: str, key: str, values: Iterable[str], what: str = "id") -> None:
        for value, times in Counter(values).items():
            if times > 1:
                self.add(
                    file,
                    f"{key}[{value}]",
                    f"the {what} `{value}` is given {times} times",
                    f"Give each its own {what}",
                )


def invalid(problems: Sequence[ConfigError]) -> DomainError:
    """The refusal of something that was to be published, with everything that is wrong with it."""
    listed = [{"key": p.key, "problem": p.problem, "remedy": p.remedy} for p in problems]
    first = problems[0]
    return DomainError("publication_invalid", f"{first.key}: {first.problem}. {first.remedy}.", problems=listed)

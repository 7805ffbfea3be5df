"""What can go wrong, as one tree.

    LinliError
    ├── DomainError      a rule of the product refused something; `code` is stable, `facts` say what and what to do
    └── ConfigError      a file of the district pack or a setting is wrong; names file, key and remedy

`api/problems.py` maps each code to its HTTP status and titles; the workflow carries the same codes as the type of an
`ApplicationError`. Facts never hold personal data: they travel into answers, logs and workflow failures.
"""

from __future__ import annotations


class LinliError(Exception):
    """Root of every error the product raises on purpose."""


class DomainError(LinliError):
    """A rule refused a command.

    `code` is a snake_case word documented in docs/reference/errors.md; `rule` is the sentence a person can act on;
    `facts` are JSON-ready values (ids, stages, instants), never personal data.
    """

    def __init__(self, code: str, rule: str, **facts: object) -> None:
        super().__init__(f"{code}: {rule}")
        self.code = code
        self.rule = rule
        self.facts = facts


class ConfigError(LinliError):
    """A configuration file is unusable; nothing of it was loaded."""

    def __init__(self, file: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {key}: {problem}. {remedy}")
        self.file = file
        self.key = key
        self.problem = problem
        self.remedy = remedy

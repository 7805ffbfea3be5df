"""What every update of ours answers with: a repetition is recognised by its key, a refusal keeps its code and facts."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import DomainError


def is_repetition(seen: Mapping[str, str], key: str, fingerprint: str) -> bool:
    """Whether this very body was taken before under its key.

    Raises ApplicationError `idempotency_key_reused` for another body under the same key.
    """
    known = seen.get(key)
    if known is not None and known != fingerprint:
        rule = "This Idempotency-Key was used with another body. Take a new key for a new action."
        raise ApplicationError(rule, type="idempotency_key_reused", non_retryable=True)
    return known is not None


def failure(refused: DomainError) -> ApplicationError:
    """The refusal as an update carries it: the caller gets code, rule and facts back."""
    return ApplicationError(refused.rule, refused.facts, type=refused.code, non_retryable=True)

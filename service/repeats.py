"""Doing things once: a request under an Idempotency-Key, and the answer that each repetition of it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from asyncpg.pool import PoolConnectionProxy

from domain.actors import Actor
from domain.errors import DomainError
from service.desk import Desk
from service.intake import fingerprint_of, key_of
from store.answers import keep_answer
from store.intake import answered


@dataclass(frozen=True)
class Answered:
    """`body` is the JSON answer, the same for every repetition; `repeated` tells whether this is one."""

    id: str
    body: str
    repeated: bool = False


class Asked:
    """Who asks for what under which key; without a key nothing is ever a repetition."""

    def __init__(self, desk: Desk, actor: Actor, key: str | None, what: str) -> None:
        self._desk = desk
        self.by = actor.id
        self._key = key_of(actor, key or uuid4().hex)
        self._fingerprint = fingerprint_of(what)

    async def repetition(self) -> Answered | None:
        """What was answered before. Raises DomainError `idempotency_key_reused` where that was another request."""
        before = await answered(self._desk.pool, self.by, self._key)
        if before is None:
            return None
        if before.fingerprint != self._fingerprint:
            raise other_body()
        return Answered(before.number, before.answer, repeated=True)

    async def must_repeat(self) -> Answered:
        """For a key that `keep` found taken."""
        before = await self.repetition()
        assert before is not None, "a key that was taken has an answer"
        return before

    async def keep(self, connection: PoolConnectionProxy[Any], id: str, body: str) -> bool:
        """Part of the transaction on `connection`; False when the key was used before."""
        return await keep_answer(
            connection, self.by, self._key, self._fingerprint, id, body, self._desk.now()
        )  # fmt: skip


def other_body() -> DomainError:
    return DomainError("idempotency_key_reused", "This Idempotency-Key was used with another body. Take a new key.")

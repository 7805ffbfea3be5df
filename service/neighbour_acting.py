"""What a neighbour answers becomes commands to the demand, in its name and with the rights of its unit's liaison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from temporalio.client import Client

from contracts.demand import Acted
from domain import commands as c
from domain.demand import Demand
from domain.errors import DomainError
from domain.neighbours import Neighbour
from gateways.temporal.engine import NotRunning, update
from store import personal, texts
from store.forwardings import Forwarding
from store.personal import Reading
from store.pool import Pool
from store.seal import Sealer

LATER = frozenset({"unavailable", "outcome_unknown", "too_many_requests", "not_started"})
"""No verdict: the same is asked again."""
_KINDS = {"note_id": "note", "reply_id": "reply"}
_COMMAND: TypeAdapter[c.Command] = TypeAdapter(c.Command)


class Acting:
    def __init__(self, pool: Pool, sealer: Sealer, client: Client, now: Callable[[], datetime]) -> None:
        self._pool, self._sealer, self._client, self._now = pool, sealer, client, now

    async def demand(self, number: str) -> Demand | None:
        row = await self._pool.fetchval("select state from demand where number = $1", number)
        return None if row is None else Demand.model_validate_json(row)

    async def act(self, to: Neighbour, one: Forwarding, type: str, what: str, **said: Any) -> None:
        """Send a command, once for `what` of this forwarding; `note_id` and `reply_id` are given as words.

        Raises DomainError with the rule that refused, or one of LATER.
        """
        key = hashlib.sha256(f"forwarding {one.id} {type} {what}".encode()).hexdigest()[:32]
        written = [await self._write(to, one.number, key, name, said) for name in _KINDS if name in said]
        act = c.Act(
            command=_COMMAND.validate_python({"type": type, **said, **dict(written)}),
            actor=to.actor, key=key, fingerprint=key,
        )  # fmt: skip
        try:
            await update(self._client, one.number, "act", act, key=f"{key}-{key[:8]}", result=Acted)
        except NotRunning as gone:
            code = "closed" if gone.ended else "not_started"
            raise DomainError(code, "The demand is over, or about to start.") from None
        except DomainError as refused:
            if refused.code not in LATER:
                for _, id in written:
                    await texts.drop_unsaid(self._pool, id, one.number)
            raise

    async def _write(
        self, to: Neighbour, number: str, key: str, name: str, said: dict[str, Any]
    ) -> tuple[str, str]:  # fmt: skip
        kind = _KINDS[name]
        id = f"{number}.{key[:16]}{kind[0]}"
        await texts.put(
            self._pool, text_id=id, number=number, kind=kind, author=to.actor.id, at=self._now(),
            sealed=self._sealer.seal(said[name], number),
        )  # fmt: skip
        return name, id

    # ---- what is personal

    async def person(self, number: str) -> dict[str, object]:
        """What is kept of the reporter, to be struck out of texts: it is shown to nobody."""
        sealed = await texts.reporter(self._pool, number)
        found: dict[str, object] = {} if sealed is None else json.loads(self._sealer.open(sealed, number))
        return found

    async def story(self, number: str) -> str:
        """What the reporter wrote."""
        id = f"{number}.0"
        found = (await texts.some(self._pool, [id])).get(id)
        return "" if found is None else self._sealer.open(found[1], number)

    async def keep_reading(self, to: Neighbour, number: str, *fields: str) -> None:
        """That this leaves the house is kept like every reading, before it does."""
        reading = Reading(at=self._now(), actor=to.actor.id, what="forwarding", reason="handling", fields=fields)
        await personal.tell(self._pool, reading, [number])

"""The refusal of a number in another system that stands for another demand."""

from __future__ import annotations

from domain.actors import Actor
from domain.errors import DomainError
from service.desk import Desk
from service.reading import seen


async def reference_taken(desk: Desk, actor: Actor, holder: str | None) -> DomainError:
    """The refusal; it names the demand that has the number only to somebody who may see that demand."""
    visible = holder is not None and holder in await seen(desk, actor, [holder])
    facts = {"number": holder} if visible else {}
    return DomainError("external_ref_taken", "An external number already stands for another demand.", **facts)

"""Who acts: a person with grants. Ids are opaque; names and numbers of people never come this far."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.vocabulary import Role


class Grant(BaseModel):
    """One role in one scope; a missing scope means the whole subdistrict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    community: str | None = None
    grid: str | None = None
    unit: str | None = None


class Actor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    grants: tuple[Grant, ...] = ()

    def has(self, role: Role, *, community: str | None = None, unit: str | None = None) -> bool:
        """Whether a grant of this role covers the community or unit asked for."""
        return any(
            g.role is role and (g.community is None or g.community == community) and (g.unit is None or g.unit == unit)
            for g in self.grants
        )


def reporter_of(number: str) -> str:
    """The id under which the reporter of this demand acts by a link or a code: without an account, and on no other demand.

    Only whoever has checked link or code makes an `Actor` of it.
    """
    return f"reporter:{number}"


SYSTEM = Actor(id="system", grants=(Grant(role=Role.SYSTEM),))

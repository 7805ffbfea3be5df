"""Who plays: every person of the district pack and some residents, each with a token of their own."""

from __future__ import annotations

from functools import cache
from random import Random

from domain.district import District
from domain.vocabulary import Role
from service.tokens import mint


class Cast:
    """Person ids by role, and the token of each. The secret is the installation's development secret."""

    def __init__(self, district: District, secret: str, *, residents: int) -> None:
        self.district = district
        self.residents = [f"resident-{number:05d}" for number in range(10_001, 10_001 + residents)]
        self.overseer = self._district_wide(Role.SUPERVISOR)[0]
        self.operators = self._district_wide(Role.OPERATOR)
        self.supervisors = self._district_wide(Role.SUPERVISOR)
        self.integrators = self._district_wide(Role.INTEGRATOR)
        self.token = cache(lambda person: mint(secret, person))

    def _district_wide(self, role: Role) -> list[str]:
        return [person.id for person in self.district.people_with(role)]

    def secretary(self, community: str) -> str:
        return self.district.secretary(community)

    def colleagues(self, community: str) -> list[str]:
        """The grid workers of a community."""
        return sorted({grid.duty_worker for grid in self.district.grids_of(community)})

    def verifiers(self, community: str | None, chance: Random) -> list[str]:
        """Who might look at a result, in some order; whether they may is asked of the API."""
        near = [self.secretary(community), chance.choice(self.colleagues(community))] if community else []
        people = [*self.supervisors, *near]
        chance.shuffle(people)
        return people

    def keeper(self, meeting: str) -> str:
        """Who convenes a meeting and keeps its minutes: the secretary; in the committee, a supervisor."""
        return self.supervisors[0] if meeting == self.district.id else self.secretary(meeting)

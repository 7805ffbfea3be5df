"""Who stands behind every demand of the district: looked up once, because every intake asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from domain.district import District
from domain.vocabulary import Role


@dataclass(frozen=True)
class Staffing:
    """Person ids. `operator` makes the call-backs and places what nobody could locate."""

    supervisor: str
    operator: str
    dispatchers: dict[str, str]
    secretaries: dict[str, str]

    @classmethod
    def of(cls, district: District) -> Self:
        communities = [c.id for c in district.communities]
        return cls(
            supervisor=district.people_with(Role.SUPERVISOR)[0].id,
            operator=district.people_with(Role.OPERATOR)[0].id,
            dispatchers={c: district.dispatcher(c) for c in communities},
            secretaries={c: district.secretary(c) for c in communities},
        )

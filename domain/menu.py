"""The service menu 服务菜单: what the community company 强社公司 and its partners offer, for whom, when and at what price."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.places import Id, Name
from domain.policies import ToUnit
from domain.units import CategoryCode

Fen = Annotated[int, Field(ge=0, le=100_000_000, strict=True)]
"""Hundredths of a yuan."""


class Service(BaseModel):
    """One line of the menu; asking for it is a demand of `category`.

    `price` says in words what `price_fen` is for ("12 元/份"); no amount means that it is estimated on the spot, 0 that it
    is free. In a community named in `partners` (community -> unit) that unit provides it, elsewhere `to`; where neither
    speaks of a community, it is not on offer there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    name_en: Name
    category: CategoryCode
    price: Name
    price_fen: Fen | None = None
    when: Name
    to: ToUnit | None = None
    partners: dict[Id, Id] = {}

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.to is None and not self.partners:
            raise ValueError("nobody provides it: give `to`, or `partners` by community")
        return self

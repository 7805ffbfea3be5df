"""What a caller presented stays at the door: workflows are told who acts, and nothing more."""

from __future__ import annotations

from pydantic_core import to_json

from api.auth import Principal
from domain import commands as c
from domain.actors import Actor, Grant
from domain.scopes import Scope
from domain.vocabulary import Role


def test_neither_session_nor_key_nor_scopes_go_on_into_a_command() -> None:
    grants = (Grant(role=Role.INTEGRATOR),)
    caller = Principal(
        id="p-0009", grants=grants, scopes=frozenset({Scope.RATES_READ}), session="marked-session", key="marked-key"
    )
    sent = to_json(c.Act(command=c.Urge(), actor=caller, key="k", fingerprint="f")).decode()
    assert "marked" not in sent and "rates" not in sent
    assert c.Act.model_validate_json(sent).actor == Actor(id="p-0009", grants=grants)

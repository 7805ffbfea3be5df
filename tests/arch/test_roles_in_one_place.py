"""Who may do what is decided in domain/roles.py, of demands in domain/lifecycle.py, of persons in domain/privacy.py."""

from __future__ import annotations

import ast

from tests.arch.files import modules

# Modules outside the tables that name a role, and what for; none of them asks it of whoever calls.
FACTS = {
    "api/auth.py": "what somebody is who has signed in as a resident",
    "api/authorisation_table.py": "the columns of the page",
    "service/actions.py": "who is named to work on a demand, and for which unit somebody speaks",
    "service/admin.py": "whom to ask instead, in a refusal",
    "service/admin_hand_over.py": "in whose name a unit's tasks are handed over",
    "service/board.py": "who can be named to work on a demand",
    "service/care.py": "on which grids somebody is on duty today",
    "service/intake.py": "whether a reporter has an account to be asked by",
    "service/meeting_room.py": "which meetings somebody sits in, and who may be named to chair",
    "service/notice_owners.py": "who looks after what is stuck",
    "service/pack_checks.py": "which roles a district must have",
    "service/pack_settings_checks.py": "who must be able to chair",
    "service/pack_unit_checks.py": "who must speak for a unit",
    "service/personal_requests.py": "whose account a demand was sent from",
    "service/publish_district.py": "the rights that follow from a unit and from the rotation",
    "service/resident_view.py": "who answers for a demand, told to its reporter",
    "service/rotation.py": "who may be named to chair",
    "service/sessions.py": "who may be named to chair",
    "service/sign_in_views.py": "whom to ask instead, in a refusal",
    "service/staffing.py": "who is a demand's supervisor and operator",
    "service/tasks.py": "in which grids somebody works",
    "service/unit_desk.py": "for which units somebody speaks",
    "service/walk_in.py": "as whom the product itself attaches a follower",
    "web/board_choices.py": "in which communities somebody works",
    "web/board_views.py": "which saved views somebody starts with",
    "web/case_actions.py": "who can be named to work on a demand",
    "web/lists.py": "where somebody's entries lie",
    "web/menu.py": "where somebody's work is",
    "web/rotation.py": "who can be named to chair",
}


def roles_named(text: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Role"
        for node in ast.walk(ast.parse(text))
    )  # fmt: skip


def test_no_service_and_no_route_decides_by_a_role_of_its_own() -> None:
    found = {name for name, text in modules() if name.startswith(("service/", "api/", "web/")) and roles_named(text)}
    assert len(found) > 5, "the search found too little; it has to be mended"
    assert not found - FACTS.keys(), "give it a rule in domain/roles.py and ask roles.must, see docs/how-to/roles.md"
    assert not FACTS.keys() - found, "take these out of the list"


def test_nothing_asks_whether_somebody_is_only_a_resident_by_looking_at_grants() -> None:
    """A person without any grant would pass for one: `all(…)` of nothing is true."""
    looks = [
        f"{name}:{node.lineno}"
        for name, text in modules()
        if name.startswith(("service/", "api/", "web/"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "all"
        and "grants" in ast.unparse(node)
    ]  # fmt: skip
    assert not looks

"""Names that cross a process line: workflow ids and search attributes. Changing one needs a migration."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

STAGE = SearchAttributeKey.for_keyword("Stage")
COMMUNITY = SearchAttributeKey.for_keyword("Community")
GRID = SearchAttributeKey.for_keyword("Grid")
UNIT = SearchAttributeKey.for_keyword("Unit")
CATEGORY = SearchAttributeKey.for_keyword("Category")
CLOCK = SearchAttributeKey.for_keyword("Clock")
DUE = SearchAttributeKey.for_datetime("Due")

SEARCH_ATTRIBUTES: dict[str, str] = {
    "Stage": "Keyword",
    "Community": "Keyword",
    "Grid": "Keyword",
    "Unit": "Keyword",
    "Category": "Keyword",
    "Clock": "Keyword",
    "Due": "Datetime",
}

DEMAND_WORKFLOW = "ResidentDemand"
MEETING_WORKFLOW = "JointMeeting"
CONVENE_WORKFLOW = "ConveneMeeting"


def meeting_workflow_id(meeting: str) -> str:
    """One meeting workflow per community and one for the subdistrict committee."""
    return f"meeting-{meeting}"


def cadence_schedule_id(meeting: str) -> str:
    """The schedule that calls a meeting's regular sessions."""
    return f"cadence-{meeting}"

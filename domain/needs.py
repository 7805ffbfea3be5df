"""What can be needed of whoever asks: one word for each thing the product lets some people do. Who has it: domain/roles.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Need(StrEnum):
    """A word for programs, and in `words` the deed for people, as it begins a refusal: "… is for: supervisor."""

    words: str

    def __new__(cls, value: str, words: str) -> Self:
        made = str.__new__(cls, value)
        made._value_ = value
        made.words = words
        return made

    # ---- whoever it is
    PUBLIC = "public", "What everybody may read without a name"
    BY_LINK = "by_link", "Following one's own demand by a link or a code"
    BE_KNOWN = "be_known", "Asking who one is, and by what"
    OWN_SESSIONS = "own_sessions", "Looking after one's own sessions and password"
    OWN_INBOX = "own_inbox", "Reading one's own inbox"
    OWN_CONTACTS = "own_contacts", "Saying how one is reached"

    # ---- the district
    SEE_DISTRICT = "see_district", "Looking up places, units, categories, services, days and turns of the chair"
    SEE_RESOURCES = "see_resources", "Reading the resource list"
    SEE_PROJECTS = "see_projects", "Reading the project list"
    SEE_RULES = "see_rules", "Reading the routing rules and the standing decisions"
    SEE_INSIDE = "see_inside", "Seeing what is said only among those who work here"
    SEE_LOADS = "see_loads", "Seeing how busy each unit is"

    # ---- demands
    SUBMIT_DEMAND = "submit_demand", "Submitting a demand, with its files"
    SEE_DEMANDS = "see_demands", "Reading demands, their clocks and what was told about them"
    SEE_WHOLE_LOG = "see_whole_log", "Reading a demand's log with everything that its events say"
    EXPORT_CASE_FILE = "export_case_file", "Exporting the case file of a demand"
    SEE_TEXTS = "see_texts", "Reading the words of a demand"
    LIST_FILES = "list_files", "Listing the pictures and documents of a demand, as far as one may look at them"
    SEE_FILES = "see_files", "Looking at the pictures and documents of a demand"
    SEE_ROUTING = "see_routing", "Reading why a demand went to which unit, and which could take it"
    ACT_ON_DEMAND = "act_on_demand", "Acting on a demand"
    COMPARE_TEXTS = "compare_texts", "Having the words of demands compared"
    GATHER_DUPLICATES = "gather_duplicates", "Attaching duplicates to a demand"
    KEEP_REFERENCES = "keep_references", "Keeping a demand's numbers in other systems"
    SEE_HOT_SPOTS = "see_hot_spots", "Reading the hot spots"
    SEE_UNIT_MATCHES = "see_unit_matches", "Reading what a unit could take"

    # ---- persons behind demands
    SEE_REPORTER = "see_reporter", "Reading who is behind a demand, masked"
    REVEAL_REPORTER = "reveal_reporter", "Having a reporter's name and numbers opened"
    CORRECT_REPORTER = "correct_reporter", "Correcting what is kept of a reporter"
    SEARCH_BY_PHONE = "search_by_phone", "Looking for demands by a phone number"
    OWN_DATA = "own_data", "Asking for a copy or the deletion of what is kept of a reporter"
    RENEW_CODE = "renew_code", "Giving a reporter another code"
    SEE_PERSONAL_READS = "see_personal_reads", "Reading who had personal data opened"

    # ---- in and out
    EXPORT_DEMANDS = "export_demands", "Exporting demands and their history"
    EXPORT_PERSONAL = "export_personal", "Exporting personal data"
    IMPORT_DEMANDS = "import_demands", "Importing demands, and stopping it"
    FOLLOW_IMPORTS = "follow_imports", "Following imports"
    FOLLOW_EVENTS = "follow_events", "Following the events of all demands"
    MANAGE_WEBHOOKS = "manage_webhooks", "Looking after webhooks"
    SEE_FORWARDINGS = "see_forwardings", "Reading what was forwarded to other city systems"
    STEER_FORWARDINGS = "steer_forwardings", "Forwarding to another city system, trying again and stopping"
    SEND_OPEN311 = "send_open311", "Sending requests and updates by Open311"
    FOLLOW_OPEN311 = "follow_open311", "Polling updates by Open311"

    # ---- joint meetings
    SEE_MEETINGS = "see_meetings", "Looking up when the joint meetings sit and who chairs them"
    SEE_AGENDAS = "see_agendas", "Reading agendas, sessions and minutes"
    READ_MINUTES = "read_minutes", "Reading the words in the minutes"
    CONVENE = "convene", "Convening a session"
    ACT_ON_SESSION = "act_on_session", "Opening, attending and closing a session"
    DECIDE_ITEM = "decide_item", "Deciding an item of an agenda"
    END_RULING = "end_ruling", "Ending a standing decision"
    CHANGE_ROTATION = "change_rotation", "Changing who chairs"

    # ---- projects and care
    STEER_PROJECT = "steer_project", "Opening and steering a project"
    STEER_COMMITTEES_PROJECT = "steer_committees_project", "Opening and steering a project of the committee"
    ACT_ON_PROJECT = "act_on_project", "Reporting on a project"
    CARE = "care", "Looking after people with individual needs"
    OVERSEE_CARE = "oversee_care", "Reading who read an entry of individual needs"

    # ---- figures
    SEE_RATES = "see_rates", "Reading the rates, their definitions and the bulletin"
    SEE_MONTHS = "see_months", "Reading and checking kept months"
    KEEP_MONTHS = "keep_months", "Keeping a month's figures, and computing them again"
    ASK_EXCLUSION = "ask_exclusion", "Asking that a demand is left out of a figure"
    SEE_EXCLUSIONS = "see_exclusions", "Reading exclusions"
    DECIDE_EXCLUSION = "decide_exclusion", "Deciding about an exclusion, or taking one's own back"

    # ---- what is sent
    SEE_DELIVERIES = "see_deliveries", "Reading deliveries and the state of the channels"
    REPLAY_DELIVERIES = "replay_deliveries", "Sending deliveries again, and testing a channel"
    SEE_SYSTEM = "see_system", "Seeing whether the parts of the system work"

    # ---- administration
    PUBLISH_CALENDAR = "publish_calendar", "Publishing a holiday calendar"
    PUBLISH_PROMISES = "publish_promises", "Publishing promises"
    PUBLISH_ROUTING = "publish_routing", "Publishing routing rules"
    TRY_ROUTING = "try_routing", "Trying routing rules"
    MANAGE_UNITS = "manage_units", "Changing units"
    MANAGE_RESOURCES = "manage_resources", "Changing a unit's resources"
    MANAGE_STEWARDS = "manage_stewards", "Changing who takes care of a grid"
    MANAGE_ROSTERS = "manage_rosters", "Changing rosters"
    MANAGE_PEOPLE = "manage_people", "Changing people and their roles"
    SEE_PERSON = "see_person", "Reading who somebody is and what they may do"
    SEE_LEAVE = "see_leave", "Reading when somebody is away"
    SETTLE_LEAVE = "settle_leave", "Settling when somebody is away"
    SEE_PUBLICATIONS = "see_publications", "Reading what was published"
    CANCEL_PUBLICATION = "cancel_publication", "Taking back what is yet to take effect"
    SEE_CHANGES = "see_changes", "Reading who changed what"

    # ---- identity
    MANAGE_KEYS = "manage_keys", "Looking after API keys"
    MANAGE_SESSIONS = "manage_sessions", "Looking after somebody's sessions"
    SEE_IDENTITY_EVENTS = "see_identity_events", "Reading what was done with accounts, sessions and keys"

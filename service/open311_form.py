"""The form of `POST requests`, read: everything that is wrong with it is found, and what is right becomes a report."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain import open311_text as t
from domain.district import District
from domain.open311_faults import Fault, Refused
from domain.open311_services import Service, answers
from service.forms import Location, Reporter
from service.open311_offer import Offer

Fields = Mapping[str, Sequence[str]]
"""What was sent, cleaned, without empty values: absent and empty are the same."""

MOST_DESCRIPTION, MOST_TEXT = 4_000, 20_000
MOST_PICTURES, MOST_ADDRESS, MOST_SHORT, MOST_URL, MOST_REF = 10, 500, 100, 2_000, 80
NO_PIN = "#NOTPINPOINTED#"
REPORT_IDS = ("fixmystreet_id", "external_id")
"""Attributes by which a client names its own report; the same one again is the same demand."""

_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,64})\](?:\[\])?")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,15})?", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,19}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Report:
    """What a client reports. `digest` tells two reports apart; `ref` is the client's own number of it."""

    service: Service
    text: str
    location: Location | None
    reporter: Reporter | None
    account: str | None
    ref: str | None
    digest: str


def first(fields: Fields, name: str) -> str:
    values = fields.get(name)
    return values[0] if values else ""


def read_report(offer: Offer, district: District, fields: Fields) -> Report:
    """Raises Refused with everything that is wrong."""
    code = first(fields, "service_code")
    service = offer.services.get(code)
    if service is None:
        raise Refused([Fault("404002" if code else "400002")])
    given = _attributes(fields)
    said, faults = answers(service, given)
    faults += [*_location_faults(fields), *_length_faults(fields), *picture_faults(fields)]
    ref = next((given[name][0] for name in REPORT_IDS if given.get(name)), None)
    if ref is not None and len(ref) > MOST_REF:
        faults.append(Fault("400030", f"attribute[{REPORT_IDS[0]}]"))
    if faults:
        raise Refused(faults)
    text = _text(service, fields, said)
    if len(text) > MOST_TEXT:
        raise Refused([Fault("400030", "attribute")])
    return Report(
        service=service, text=text, location=_location(district, fields), reporter=_reporter(fields),
        account=first(fields, "account_id") or None, ref=ref, digest=_digest(fields, given),
    )  # fmt: skip


def _attributes(fields: Fields) -> dict[str, list[str]]:
    """By code; `attribute[x]` and `attribute[x][]` are the same, and each may be repeated."""
    found: dict[str, list[str]] = {}
    for name, values in fields.items():
        match = _ATTRIBUTE.fullmatch(name)
        if match is not None:
            found.setdefault(match[1], []).extend(values)
    return found


def _location_faults(fields: Fields) -> list[Fault]:
    lat, long = first(fields, "lat"), first(fields, "long")
    if lat or long:
        good = _DEGREES.fullmatch(lat) and _DEGREES.fullmatch(long)
        return [] if good and abs(float(lat)) <= 90 and abs(float(long)) <= 180 else [Fault("400014")]
    placed = first(fields, "address_string") or first(fields, "address_id") not in ("", NO_PIN)
    return [] if placed else [Fault("400010")]


def _length_faults(fields: Fields) -> list[Fault]:
    limits = {
        "description": MOST_DESCRIPTION, "title": MOST_SHORT * 2, "address_string": MOST_ADDRESS, "address_id": MOST_SHORT,
        "first_name": MOST_SHORT // 2, "last_name": MOST_SHORT // 2, "phone": MOST_SHORT, "email": MOST_SHORT * 2,
        "account_id": MOST_SHORT, "device_id": MOST_SHORT * 2,
    }  # fmt: skip
    return [Fault("400030", name) for name, most in limits.items() if len(first(fields, name)) > most]


def pictures(fields: Fields) -> list[str]:
    """Addresses of pictures; they are kept as words and never fetched."""
    return list(dict.fromkeys([*fields.get("media_url", ()), *fields.get("media_url[]", ())]))


def picture_faults(fields: Fields) -> list[Fault]:
    found = pictures(fields)
    good = len(found) <= MOST_PICTURES and all(len(u) <= MOST_URL and _URL.fullmatch(u) for u in found)
    return [] if good else [Fault("400013", "media_url")]


def _text(service: Service, fields: Fields, said: Mapping[str, str]) -> str:
    story = [first(fields, "title").strip(), first(fields, "description").strip()]
    lines = [(f"{a.description}〔{a.code}〕", said[a.code]) for a in service.attributes if a.code in said]
    if address := first(fields, "address_string"):
        lines.append((t.ADDRESS, address))
    if first(fields, "address_id") == NO_PIN and first(fields, "lat"):
        lines.append((t.POINT, f"{first(fields, 'lat')}, {first(fields, 'long')}"))
    if (email := first(fields, "email")) and email_of(fields) is None:
        lines.append((t.EMAIL, email))
    if (phone := first(fields, "phone")) and phone_of(fields) is None:
        lines.append((t.PHONE, phone))
    lines += [(t.PICTURE, url) for url in pictures(fields)]
    return t.joined("\n".join(part for part in story if part) or service.category.name, lines)


def _location(district: District, fields: Fields) -> Location | None:
    """A known compound or grid, else the point; None leaves it to the dispatcher, who has the address."""
    address_id = first(fields, "address_id")
    if address_id in district.directory.compounds:
        return Location(compound=address_id)
    if address_id in district.directory.grids:
        return Location(grid=address_id)
    if address_id == NO_PIN or not first(fields, "lat"):
        return None
    return Location(lat=float(first(fields, "lat")), lon=float(first(fields, "long")))


def name_of(fields: Fields) -> str | None:
    """One name of two parts; a dash stands for none. Chinese names are written together, the family's first."""
    parts = [t.one_line(first(fields, name)) for name in ("first_name", "last_name")]
    given, family = ("" if part == "-" else part for part in parts)
    if not given or not family:
        return given or family or None
    return family + given if _CHINESE.search(family + given) else f"{given} {family}"


def phone_of(fields: Fields) -> str | None:
    """The number, without brackets, dots and slashes; None where nobody could dial what is left."""
    plain = re.sub(r"[().\s/-]+", " ", first(fields, "phone")).strip()
    return plain if _PHONE.fullmatch(plain) else None


def email_of(fields: Fields) -> str | None:
    email = first(fields, "email").strip()
    return email if _EMAIL.fullmatch(email) else None


def _reporter(fields: Fields) -> Reporter | None:
    name, phone, email = name_of(fields), phone_of(fields), email_of(fields)
    return Reporter(name=name, phone=phone, email=email) if name or phone or email else None


_TELLING = (
    "service_code", "lat", "long", "address_string", "address_id", "title", "description", "email", "phone", "first_name",
    "last_name", "account_id",
)  # fmt: skip


def _digest(fields: Fields, given: Mapping[str, Sequence[str]]) -> str:
    """Of what makes a report this one. Pictures are left out: a client may put another address for each try."""
    said = [[name, first(fields, name)] for name in _TELLING], sorted((k, sorted(v)) for k, v in given.items())
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

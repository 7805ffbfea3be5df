"""The words of a notice, looked up when it is sent or read: names, categories and times as they are then."""

from __future__ import annotations

from domain.district import District
from domain.notice_rules import DIGEST
from domain.notice_texts import Letter, Telling, collection, letter
from runtime.settings import Settings
from service.notice_links import Links
from store import notice_reading
from store.notice_reading import Noticed
from store.pool import Pool
from store.seal import Sealer

__all__ = ["Letter", "letter_of", "words_of"]


async def letter_of(
    pool: Pool, sealer: Sealer, district: District, settings: Settings, delivery: int
) -> Letter | None:  # fmt: skip
    """What goes out; None where there is nothing to say any more: its template, or the demand, is gone."""
    found = await notice_reading.of_delivery(pool, delivery)
    if found is None:
        return None
    channel, one = found
    links = Links(pool, sealer, settings)
    if one.event == DIGEST:
        members = await notice_reading.members_of(pool, one.id)
        said = [telling_of(member, await links.of(member)) for member in members]
        return collection(district, telling_of(one, links.inbox), said, channel=channel)
    if one.demand is None:
        return None
    return letter(district, telling_of(one, await links.of(one), await links.code_of(one)), channel=channel)


def words_of(district: District, one: Noticed, link: str, code: str = "") -> Letter | None:
    """As it is read in the inbox."""
    return letter(district, telling_of(one, link, code))


def telling_of(one: Noticed, link: str, code: str = "") -> Telling:
    return Telling(
        template=one.template, language=one.language, person=one.person, link=link, at=one.at, demand=one.demand,
        data=one.data, lost=one.lost, code=code,
    )  # fmt: skip

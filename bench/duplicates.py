"""Duplicates in a file of real messages, and what a suggestion costs among 100,000 open demands.

`python -m bench.duplicates FILE.csv` reads columns `subject`, `body`, `created_at`; other names with --text and --at. What
the messages say is shown on the screen only and kept in a folder that is gone afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from bench.likeness_load import Looked, measured
from devstack.program import ROOT
from domain.district import District
from domain.duplicates import Case, DuplicateRules, branch, score
from domain.hot_spots import joined
from domain.similarity import common_words, gist
from service.intake import category_of
from service.pack import load_pack
from store.fingerprint import Fingerprints, most_apart

PACK = ROOT / "config" / "shengli-road"
LEAST_TEXT = 0.3
"""These messages name a whole county and no compound: their texts have to be more alike than those of one courtyard."""

_COUNTY = re.compile(r"[A-Z]\d+[区县市]")


@dataclass(frozen=True)
class Message:
    title: str
    text: str
    case: Case


def messages(path: Path, texts: Sequence[str], at: str, district: District) -> list[Message]:
    """Those that are complete; the place is the county they name, which stands for a grid."""
    return sorted(_read(path, texts, at, district), key=lambda m: m.case.at)


def _read(path: Path, texts: Sequence[str], at: str, district: District) -> Iterator[Message]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            text = "。".join(row[name] for name in texts if row.get(name))
            if not text or not row.get(at):
                continue
            county = _COUNTY.search(text)
            category, _ = category_of(district, text, None)
            case = Case(
                category=category.code, at=datetime.fromisoformat(row[at]).astimezone(),
                gist=gist(text, district.telling), grid=county[0] if county else None,
            )  # fmt: skip
            yield Message(row[texts[0]], text, case)


def alike(found: Sequence[Message], rules: DuplicateRules) -> list[tuple[int, int]]:
    """Pairs above the thresholds, by way of the fingerprints as the product does it."""
    prints = Fingerprints({"bench": b"a key for this run only, 32 byte"})
    signatures = [prints.of(m.case.gist.weights).to_int() for m in found]
    near = most_apart(0.25)
    pairs = []
    for i, one in enumerate(found):
        for j in range(i):
            other = found[j]
            if (
                branch(one.case.category) == branch(other.case.category)
                and (signatures[i] ^ signatures[j]).bit_count() <= near
                and score(one.case, other.case, rules).reasons
            ):
                pairs.append((i, j))
    return pairs


def told(found: Sequence[Message], rules: DuplicateRules) -> None:
    began = perf_counter()
    pairs = alike(found, rules)
    seconds = perf_counter() - began
    suggested = {i for i, j in pairs if found[i].case.at - found[j].case.at <= timedelta(days=30)}
    groups = joined((f"{i:06d}", f"{j:06d}") for i, j in pairs)
    sizes = Counter(len(group) for group in groups)
    print(f"{len(found)} messages, {len(pairs)} pairs, {seconds:.1f} s")
    print(f"{len(suggested)} would have been shown an earlier one of the 30 days before")
    large = sum(n for size, n in sizes.items() if size > 2)
    print(f"{len(groups)} clusters of {sum(map(len, groups))} messages, {large} of three or more")
    print("The ten hottest:")
    for group in groups[:10]:
        members = [found[int(one)] for one in group]
        days = (members[-1].case.at - members[0].case.at).days
        words = "、".join(common_words([m.case.gist for m in members]))
        print(f"  {len(group):3d} over {days:4d} days  {words}  ·  {members[0].title}")


def cost(looked: Looked) -> None:
    print(f"{looked.demands:,} open demands in the last 30 days, {looked.questions} questions each, in turns:")
    lookup = median(looked.lookup)
    for name, times in looked.times().items():
        slow = quantiles(times, n=20)[-1]
        print(
            f"  {name:34s} median {median(times) * 1e3:8.2f} ms   p95 {slow * 1e3:8.2f} ms   {median(times) / lookup:7.1f} ×"
        )
    print(f"  marking one demand in the background: {looked.mark_seconds * 1e3:.2f} ms; hot spots of a community: "
          f"{median(looked.hot_spots) * 1e3:.0f} ms")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.duplicates", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    parser.add_argument("--text", nargs="+", default=["subject", "body"], metavar="COLUMN")
    parser.add_argument("--at", default="created_at", metavar="COLUMN")
    parser.add_argument(
        "--demands", type=int, default=100_000, metavar="N", help="default: %(default)s; 0: no database"
    )
    parser.add_argument("--questions", type=int, default=300, metavar="N", help="default: %(default)s")
    given = parser.parse_args()
    if not given.file.is_file():
        print(f"{given.file} is no file", file=sys.stderr)
        return 2
    district = load_pack(PACK)
    found = messages(given.file, given.text, given.at, district)
    if len(found) < 2:
        print(f"{given.file} has no columns {given.text} and {given.at}, or nothing in them", file=sys.stderr)
        return 2
    days = (found[-1].case.at - found[0].case.at).days + 1  # clusters reach across the whole file
    told(found, district.duplicates.model_copy(update={"days": days, "least_text": LEAST_TEXT}))
    if given.demands:
        cost(asyncio.run(measured([m.text for m in found], given.demands, given.questions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

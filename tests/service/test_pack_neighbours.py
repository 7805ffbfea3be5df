"""`neighbours.toml` may be missing or empty; what stands in it leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.pack import load_pack
from tests.service.breaking import a_copy, problems_of

GOOD = """
[[neighbours]]
id = "city"
name = "城市管理平台"
unit = "u-roads"
base_url = "https://city.example.cn/v2"
services = { "0301" = "ROAD" }
"""


def pack_with(folder: Path, text: str) -> Path:
    pack = a_copy(folder)
    (pack / "neighbours.toml").write_text(text, encoding="utf-8")
    return pack


def test_a_neighbour_is_read_and_its_file_may_be_missing(tmp_path: Path) -> None:
    pack = pack_with(tmp_path, GOOD)
    (one,) = load_pack(pack).neighbours
    assert (one.id, one.service_for("030101"), one.share_reporter) == ("city", "ROAD", False)
    (pack / "neighbours.toml").unlink()
    assert load_pack(pack).neighbours == ()


def test_the_example_of_the_reference_district_can_be_used_as_it_stands(tmp_path: Path) -> None:
    pack = a_copy(tmp_path)
    lines = (pack / "neighbours.toml").read_text(encoding="utf-8").splitlines()
    at = lines.index("# [[neighbours]]")
    example = [line.removeprefix("# ") for line in lines[at:] if line.startswith("# ")]
    (pack / "neighbours.toml").write_text("\n".join(example), encoding="utf-8")
    assert [one.id for one in load_pack(pack).neighbours] == ["chengguan"]


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        (GOOD.replace("u-roads", "u-raods"), "neighbours[city].unit", "u-roads"),
        (GOOD.replace("0301", "9901"), "neighbours[city].services", "categories.toml"),
        (GOOD + GOOD, "neighbours[city]", "its own id"),
        (GOOD + GOOD.replace('"city"', '"other"').replace('"0301"', '"030101"'), "neighbours[city].services", "asked"),
        (GOOD + 'api_key = "secret"', "neighbours[city].api_key", "Remove"),
        (GOOD.replace("https://", "ftp://"), "neighbours[city].base_url", "match"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, key: str, remedy: str) -> None:
    (problem,) = problems_of(pack_with(tmp_path, text)).problems
    assert problem.file == "pack/neighbours.toml" and problem.key == key and remedy in problem.remedy

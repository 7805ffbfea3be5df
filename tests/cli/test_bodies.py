"""What is sent for a row: the same row always the same body and key, a wrong value refused by its column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.importing.bodies import BadRow, Maker

MAKER = Maker(system="12345", channel="import", categories={"路灯不亮": "030101"}, scatter=None)
TOMORROW = (datetime.now(UTC) + timedelta(days=3)).isoformat()


def test_a_whole_row() -> None:
    body, _ = MAKER.make(
        {"text": " 灯坏了 ", "id": "9", "category": "路灯不亮", "compound": "橘香苑", "room": "301", "name": "某人"}
    )
    assert body == {
        "text": "灯坏了", "channel": "import", "category": "030101", "reporter": {"name": "某人"},
        "location": {"compound": "橘香苑", "room": "301"}, "external_refs": [{"system": "12345", "number": "9"}],
    }  # fmt: skip


def test_the_key_follows_the_number_or_else_what_the_row_says() -> None:
    keys = [
        MAKER.make(row)[1]
        for row in ({"text": "a", "id": "1"}, {"text": "b", "id": "1"}, {"text": "a"}, {"text": "b"}, {"text": "a"})
    ]
    assert keys[0] == keys[1] != keys[2] != keys[3]
    assert keys[2] == keys[4]
    other = Maker(system="cg", channel="import", categories={}, scatter=None)
    assert other.make({"text": "a", "id": "1"})[1] != keys[0]


def test_scattered_rows_stay_where_they_fell() -> None:
    maker = Maker(system="s", channel="import", categories={}, scatter=lambda known_by: f"compound-of-{known_by}")
    assert maker.make({"text": "a", "id": "4"})[0]["location"] == {"compound": "compound-of-4"}
    assert maker.make({"text": "a", "id": "4", "grid": "g-1"})[0]["location"] == {"grid": "g-1"}


@pytest.mark.parametrize(
    "said",
    ["", "2024-02-29", "2024-2-9 8:05", "2024/12/31 23:59:59", "2024年3月5日", "2019-02-14T20:00:00+08:00"],
)
def test_dates_that_are_read(said: str) -> None:
    assert MAKER.make({"text": "a", "created_at": said})[0] == {"text": "a", "channel": "import"}


WRONG = [
    ("created_at", "2023-02-29", "wrong_date"), ("created_at", "昨天", "wrong_date"), ("created_at", TOMORROW, "wrong_date"),
    ("created_at", "0001-01-01", "wrong_date"), ("created_at", "2024-01-01 25:00", "wrong_date"),
    ("lat", "91", "wrong_number"), ("lat", "north", "wrong_number"), ("lat", "nan", "wrong_number"),
    ("grid", "第三网格", "unknown_grid"), ("category", "没有的类别", "unknown_category"), ("text", " ", "text_missing"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "code"), WRONG)
def test_a_wrong_value_names_its_field(field: str, value: str, code: str) -> None:
    with pytest.raises(BadRow) as refused:
        MAKER.make({"text": "a", field: value})
    assert (refused.value.field, refused.value.code) == (field, code)
    assert value.strip() == "" or value not in refused.value.what_to_do  # what a row says is not repeated

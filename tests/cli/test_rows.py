"""What a file says of itself: encodings, columns, and the rows that are broken, each named by row, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.refusals import write_report
from service.importing.columns import columns_of, parse_map
from service.importing.encodings import Unreadable
from service.importing.refusals import Refusal
from service.importing.rows import CsvFile, Row
from tests.cli.files import HEADER, written


def rows_of(place: Path, said: str = "") -> tuple[CsvFile, list[Row]]:
    with place.open("rb") as opened:
        file = CsvFile(opened, place, parse_map(said))
        return file, list(file.rows())


def test_good_rows_become_fields(tmp_path: Path) -> None:
    file, (row,) = rows_of(written(tmp_path, '7,路灯,"不亮了,\n三天",2024-01-02,橘香苑,29.3,105.9,"0000 1234567"\n'))
    assert row.refusal is None
    assert row.values == {
        "id": "7", "text": "路灯\n不亮了,\n三天", "created_at": "2024-01-02", "compound": "橘香苑", "lat": "29.3",
        "lon": "105.9", "phone": "0000 1234567",
    }  # fmt: skip
    assert file.column("text") == "标题 + 内容"


BROKEN = [
    (b"2,a,b\xff\xfe,,,,,\n", "broken_encoding", "", "Byte 6 "),
    (b"2,a," + b"x" * 10_485_760 + b",,,,,\n", "field_too_long", "内容", "10,485,760 bytes"),
    (b"2,a,b\x00c,,,,,\n", "nul_character", "", "Byte 6 "),
    (b"2,a\n", "wrong_columns", "", "2 fields, the first line 8"),
    (b"2,a,b,,,,,,,,\n", "wrong_columns", "", "11 fields, the first line 8"),
    (b'2,a,"b,,,,,\n', "bad_quotes", "", "quotation mark"),
    (b"2,a,b\rc,,,,,\n", "bad_line_end", "", "carriage return"),
]


@pytest.mark.parametrize(("raw", "code", "column", "says"), BROKEN, ids=[code for _, code, _, _ in BROKEN])
def test_a_broken_row_is_named_and_its_neighbours_are_read(
    tmp_path: Path, raw: bytes, code: str, column: str, says: str
) -> None:
    _, rows = rows_of(written(tmp_path, "1,好,行,,,,,\n", raw, "3,好,行,,,,,\n"))
    assert [row.refusal is None for row in rows] == [True, False, True]
    refusal = rows[1].refusal
    assert refusal is not None
    assert (refusal.row, refusal.line, refusal.code, refusal.field) == (2, 3, code, column)
    assert says in refusal.what_to_do


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030")]
)
def test_the_encodings_that_office_programs_write(tmp_path: Path, encoding: str, expected: str) -> None:
    place = tmp_path / "x.csv"
    place.write_bytes((HEADER.replace(",", ";") + "1;路灯;“不亮”了;;;;;\n").encode(encoding))
    file, (row,) = rows_of(place)
    assert (file.encoding, row.values["text"]) == (expected, "路灯\n“不亮”了")


def test_one_broken_byte_does_not_make_a_file_gb18030(tmp_path: Path) -> None:
    file, rows = rows_of(written(tmp_path, *(f"{n},题,文,,,,,\n" for n in range(5)), b"6,\xe8\xb7,x,,,,,\n"))
    assert file.encoding == "utf-8"
    assert [row.refusal.code for row in rows if row.refusal] == ["broken_encoding"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b"\r\n\n", "is empty"),
        ("编号,内容\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,2\n", "the first line has the columns: a, b"),
        (b'a,"b\n1,2\n', "cannot be read as CSV"),
        (b"\xff\x00\xff,b\n", "neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_of_no_use_is_refused_in_a_sentence(tmp_path: Path, raw: bytes, says: str) -> None:
    place = tmp_path / "x.csv"
    place.write_bytes(raw)
    with pytest.raises(Unreadable, match=says):
        rows_of(place)


def test_columns_are_guessed_in_both_languages() -> None:
    english = columns_of(["Id", "Subject", " BODY ", "created_at", "latitude", "lng"], {})
    assert english == {"id": (0,), "text": (1, 2), "created_at": (3,), "lat": (4,), "lon": (5,)}
    chinese = columns_of(["工单号", "诉求内容", "小区名称", "楼栋", "房号", "姓名", "联系电话"], {})
    assert chinese == {
        "id": (0,), "text": (1,), "compound": (2,), "building": (3,), "room": (4,), "name": (5,), "phone": (6,)
    }  # fmt: skip


def test_the_map_wins_over_the_guess_and_an_empty_one_leaves_a_column_out() -> None:
    wanted = parse_map("text=b+c, id=d, created_at=")
    assert columns_of(["id", "b", "c", "d", "created_at"], wanted) == {"text": (1, 2), "id": (3,)}


@pytest.mark.parametrize(
    ("said", "says"), [("colour=a", "colour=a"), ("text", "does not understand"), ("text=zz", "zz")]
)
def test_a_wrong_map_is_explained(said: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        columns_of(["a", "b"], parse_map(said))


def test_the_report_is_safe_to_open(tmp_path: Path) -> None:
    place = tmp_path / "report.csv"
    write_report([Refusal(2, 3, "bad", '=HYPERLINK("x")', "Do, it."), Refusal(1, 2, "bad", "", "Do.")], place)
    assert place.read_text(encoding="utf-8-sig").splitlines() == [
        "row,line,code,field,what_to_do", "1,2,bad,,Do.", '2,3,bad,"\'=HYPERLINK(""x"")","Do, it."'
    ]  # fmt: skip

"""Which column of a file means what: by its name in Chinese or English, or as `--map` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.importing.encodings import Unreadable

FIELDS = (
    "text", "id", "category", "compound", "building", "room", "grid", "lat", "lon", "name", "phone", "created_at",
)  # fmt: skip
"""What a column can mean; `created_at` is only checked, because a demand's time is when it was taken in."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "number", "no", "编号", "工单编号", "工单号", "留言编号", "诉求编号", "序号"),
    "category": ("category", "category_code", "类别", "分类", "类别编码", "诉求类别"),
    "compound": ("compound", "小区", "小区名称"),
    "building": ("building", "楼栋", "栋", "楼号"),
    "room": ("room", "房号", "室", "房间号"),
    "grid": ("grid", "网格", "网格编号"),
    "lat": ("lat", "latitude", "纬度"),
    "lon": ("lon", "lng", "longitude", "经度"),
    "name": ("name", "reporter", "姓名", "诉求人", "联系人"),
    "phone": ("phone", "tel", "mobile", "电话", "手机", "联系电话", "手机号"),
    "created_at": ("created_at", "created", "date", "time", "时间", "日期", "留言时间", "创建时间", "受理时间"),
}
_TITLE = ("subject", "title", "主题", "标题", "留言主题")
_BODY = ("text", "body", "content", "description", "内容", "正文", "诉求内容", "留言详情", "描述", "问题描述")

Columns = Mapping[str, tuple[int, ...]]


def parse_map(said: str | None) -> dict[str, tuple[str, ...]]:
    """`text=subject+body,id=no` as field -> columns; `created_at=` means none. Raises Unreadable."""
    wanted: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (said or "").split(",")):
        field, equals, names = part.partition("=")
        if not equals or field.strip() not in FIELDS:
            raise Unreadable(
                f"--map does not understand “{part}”: write FIELD=COLUMN or FIELD=COLUMN+COLUMN; "
                f"the fields are {', '.join(FIELDS)}."
            )
        wanted[field.strip()] = tuple(name.strip() for name in names.split("+") if name.strip())
    return wanted


def columns_of(header: Sequence[str], wanted: Mapping[str, tuple[str, ...]]) -> Columns:
    """Field -> positions in a row. Raises Unreadable, naming the columns found, where no text can be made of them."""
    places = {name.strip().casefold(): at for at, name in reversed(list(enumerate(header)))}
    found: dict[str, tuple[int, ...]] = {
        field: (next(places[n] for n in names if n in places),)
        for field, names in _NAMES.items()
        if any(n in places for n in names)
    }
    text = [next((places[n] for n in names if n in places), None) for names in (_TITLE, _BODY)]
    found["text"] = tuple(dict.fromkeys(at for at in text if at is not None))
    for field, names in wanted.items():
        missing = [name for name in names if name.casefold() not in places]
        if missing:
            raise Unreadable(f"--map names the column “{missing[0]}”, but {_has(header)}.")
        found[field] = tuple(places[name.casefold()] for name in names)
    if not found["text"]:
        raise Unreadable(
            f"No column holds the text of a demand: {_has(header)}. Name it, for example --map text={header[0] or 'COLUMN'}."
        )
    return {field: at for field, at in found.items() if at}


def _has(header: Sequence[str]) -> str:
    shown = [name if len(name) <= 40 else name[:40] + "…" for name in header[:30]]
    return f"the first line has the columns: {', '.join(shown)}"

"""The clusters of a file of messages: found across days, told by their words, nothing of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import duplicates

FILE = """id,subject,created_at,body
1,B3区西门路灯不亮,2019-03-01T08:00:00+08:00,B3区西门那一排路灯全都不亮，晚上走路看不见台阶
2,路灯,2019-05-04T08:00:00+08:00,B3区西门路灯不亮一个多月了，晚上走路很危险
3,路灯坏了,2019-05-05T21:00:00+08:00,B3区西门的路灯还是不亮，晚上走路要打手电
4,路灯,2019-05-05T21:00:00+08:00,C4县西门路灯不亮，晚上走路要打手电
5,电梯,2019-05-06T08:00:00+08:00,B3区二单元电梯停运，老人下不了楼
"""


def test_clusters_reach_across_days_and_not_across_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "messages.csv"
    file.write_text(FILE, "utf-8-sig")
    monkeypatch.setattr("sys.argv", ["bench.duplicates", str(file), "--demands", "0"])
    assert duplicates.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("5 messages, 3 pairs") and lines[1].startswith("1 would have been shown")
    assert lines[2] == "1 clusters of 3 messages, 1 of three or more"
    assert len(lines) == 5 and " 3 over   65 days" in lines[4] and "路灯" in lines[4] and "电梯" not in lines[4]


def test_a_file_without_the_columns_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "messages.csv"
    file.write_text(FILE, "utf-8")
    monkeypatch.setattr("sys.argv", ["bench.duplicates", str(file), "--text", "words", "--demands", "0"])
    assert duplicates.main() == 2 and "has no columns" in capsys.readouterr().err

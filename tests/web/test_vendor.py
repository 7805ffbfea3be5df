"""The third-party files: what the table says, installed and not committed, and a lock file that names no registry."""

from __future__ import annotations

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from web import assets, icons, vendor

WEB = Path(vendor.__file__).parent


@pytest.mark.parametrize("name", vendor.FILES)
def test_each_file_is_the_one_that_was_looked_at(name: str) -> None:
    one = vendor.FILES[name]
    assert sha256((vendor.INSTALLED / one.path).read_bytes()).hexdigest() == one.sha256
    asset = assets.find(name)
    assert asset is not None and asset.digest == one.sha256[:12]


def test_the_lock_file_holds_a_hash_for_each_package_and_no_address_to_fetch_it_from() -> None:
    text = (WEB / "package-lock.json").read_text()
    packages = {place: one for place, one in json.loads(text)["packages"].items() if place}
    assert packages
    assert [place for place, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [place for place, one in packages.items() if "resolved" in one] == []
    assert "registry" not in text and ".tgz" not in text
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text().splitlines()
    assert "://" not in (WEB / ".npmrc").read_text()


def test_what_is_asked_for_is_pinned_exactly_and_locked_so() -> None:
    asked = json.loads((WEB / "package.json").read_text())
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    served = {icons.PACKAGE, *(one.package for one in vendor.FILES.values())}
    assert served == set(asked["dependencies"])


def test_nothing_of_them_is_committed(project_root: Path) -> None:
    git = shutil.which("git")
    if git is None or not (project_root / ".git").exists():
        pytest.skip("not a checkout")
    held = subprocess.run([git, "ls-files"], cwd=project_root, capture_output=True, text=True, check=True).stdout
    assert [path for path in held.splitlines() if "node_modules/" in path] == []
    ignored = subprocess.run(
        [git, "check-ignore", "web/node_modules/echarts/dist/echarts.js"],
        cwd=project_root,
        check=False,
        capture_output=True,
    )
    assert ignored.returncode == 0


def test_the_image_gets_what_is_served_and_its_licences(tmp_path: Path) -> None:
    vendor.gather(tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {one.path for one in vendor.FILES.values()} <= there
    assert len([path for path in there if path.endswith(".svg")]) == len(icons.ICONS)
    for package in {icons.PACKAGE, *(one.package for one in vendor.FILES.values())}:
        assert f"{package}/LICENSE" in there
    assert not any("axe" in path or path.endswith(".map") for path in there)


def test_a_file_that_was_changed_does_not_get_into_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vendor.FILES, "htmx.js", vendor.Vendored(vendor.FILES["htmx.js"].path, "0" * 64))
    with pytest.raises(ValueError, match=r"htmx\.min\.js has the SHA-256"):
        vendor.gather(tmp_path)

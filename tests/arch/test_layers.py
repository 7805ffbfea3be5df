"""Data flows one way: the contracts in pyproject.toml hold, and they speak of every package there is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.arch.files import PRODUCT, ROOT

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def test_the_import_contracts_hold(tmp_path: Path) -> None:
    code = f"import sys; sys.argv = ['lint-imports', '--cache-dir', {str(tmp_path)!r}]\n"
    code += "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and ", 0 broken" in done.stdout, done.stdout + done.stderr


def test_the_contracts_speak_of_every_package_of_the_product() -> None:
    there = {name for name in PRODUCT if (ROOT / name / "__init__.py").exists()}
    assert there == set(LINTER["root_packages"]), "a package that no contract knows may import anything"
    layers = {name.strip() for layer in LINTER["contracts"][0]["layers"] for name in layer.split("|")}
    assert there - layers == {"runtime"}, "only runtime stands beside the layers"


def test_what_must_never_be_imported_is_said_of_every_package_it_concerns() -> None:
    by_name = {contract["name"]: contract for contract in LINTER["contracts"]}
    nobody = next(c for name, c in by_name.items() if name.startswith("Devstack"))
    product = {name for name in PRODUCT if (ROOT / name / "__init__.py").exists()} - {"devstack", "bench", "cli"}
    assert product <= set(nobody["source_modules"])

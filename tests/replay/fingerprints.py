"""The commands a workflow gives to the engine, in the order of its source, read without running it.

`python -m tests.replay.fingerprints` writes them anew.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KEPT = Path(__file__).parent / "fingerprints.json"
COMMANDS = frozenset(
    {
        "execute_activity", "execute_local_activity", "execute_activity_method", "execute_local_activity_method",
        "start_activity", "start_local_activity", "execute_child_workflow", "start_child_workflow", "sleep",
        "wait_condition", "upsert_search_attributes", "upsert_memo", "continue_as_new", "signal", "cancel", "patched",
        "deprecate_patch", "uuid4", "random", "create_task", "get_external_workflow_handle",
    }
)  # fmt: skip
DECORATORS = frozenset({"signal", "update", "query", "run", "init", "validator"})


def _name(call: ast.expr) -> str:
    return ast.unparse(call)


def _commands(function: ast.AST) -> list[str]:
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    found = []
    for call in sorted(calls, key=lambda n: (n.lineno, n.col_offset)):
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr in COMMANDS:
            what = _name(call.args[0]) if call.args and "activity" in call.func.attr else ""
            timed = " with timeout" if any(k.arg == "timeout" for k in call.keywords) else ""
            found.append(f"{call.func.attr}({what}){timed}")
    return found


def fingerprints() -> dict[str, dict[str, list[str]]]:
    """Class → method (with its decorators) → commands; and module → function, for what classes share."""
    found: dict[str, dict[str, list[str]]] = {}
    for place in sorted((ROOT / "workflows").glob("*.py")):
        body = ast.parse(place.read_text(encoding="utf-8")).body
        functions = [f for f in body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)]
        if shared := {f.name: _commands(f) for f in functions if _commands(f)}:
            found[place.stem] = shared
        for node in body:
            if isinstance(node, ast.ClassDef) and any("workflow.defn" in _name(d) for d in node.decorator_list):
                methods = [m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)]
                found[node.name] = {_signed(m): _commands(m) for m in methods if _commands(m) or m.decorator_list}
    return found


def _signed(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    marks = [_name(d) for d in method.decorator_list if _name(d).rsplit(".", 1)[-1] in DECORATORS]
    return " ".join([*(f"@{m}" for m in marks), method.name])


def main() -> None:
    KEPT.write_text(json.dumps(fingerprints(), indent=1) + "\n", encoding="utf-8")
    print("written", KEPT.name)


if __name__ == "__main__":
    main()

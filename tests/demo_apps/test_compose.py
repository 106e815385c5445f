"""docker-compose.yml: valid, complete, and its commands work (outside containers)."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.client.cli import announcement, client, environment
from tests.interpreters import CHECKOUT

TEXT = (CHECKOUT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
NAMES = sorted(path.stem for path in (CHECKOUT / "demo_apps").glob("*.py"))


def schema() -> Any:
    """The compose specification's own, which check-jsonschema carries."""
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((folder / "compose-spec.json").read_text())


def test_the_file_is_what_the_specification_says() -> None:
    jsonschema.validate(COMPOSE, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**COMPOSE, "servces": {}}, schema())


def test_a_service_per_app() -> None:
    assert sorted(COMPOSE["services"]) == NAMES
    for name, service in COMPOSE["services"].items():
        assert service["command"] == ["asyncconsole", "run", f"demo_apps/{name}.py"]
        assert not service.get("ports")  # the consoles stay inside


def test_the_image_has_what_the_commands_need() -> None:
    recipe = (CHECKOUT / "Dockerfile").read_text()
    copied = {
        word
        for line in re.findall(r"^COPY (.*) \S+$", recipe, re.MULTILINE)
        for word in line.split()
    }
    assert {"asyncconsole", "demo_apps", "pyproject.toml", "README.md", "LICENSE"} <= copied
    ignored = (CHECKOUT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    for name in copied:
        assert (CHECKOUT / name).exists()
        assert f"!{name}" in ignored


@pytest.mark.parametrize("name", NAMES)
def test_each_service_is_reached_as_the_file_says(name: str, tmp_path: Path) -> None:
    service = COMPOSE["services"][name]
    command = [sys.executable, "-m", *service["command"]]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert re.fullmatch(
                rf"asyncconsole: telnet 127\.0\.0\.1 \d+, or asyncconsole connect {child.pid}\n",
                announcement(child),
            )
            # What `docker compose exec SERVICE asyncconsole connect` finds: the only console.
            end = time.monotonic() + 20
            while "main" not in (done := client(tmp_path, "connect", "-c", "ps")).stdout:
                assert time.monotonic() < end, done
            probe = service["healthcheck"]["test"]
            assert probe[:2] == ["CMD", "asyncconsole"]
            done = client(tmp_path, *probe[2:])
            assert done.returncode in (0, 1), done
            child.send_signal(signal.SIGTERM)
            assert child.wait(8) == 0
        finally:
            child.kill()

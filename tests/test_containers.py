"""Compose files and what they mount: read as Docker reads them, as there is no engine to run them.

By compose-spec's own reader, with the variables of `.env` filled in first.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from agent.config import load
from agent.forward.settings import InfluxSettings, PlantSettings
from agent.place import read
from agent.servecommand import Served

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "containers"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
KINDS = ("influxdb", "postgresql")


def said(kind: str) -> dict[str, str]:
    """What `.env` holds once it is filled in."""
    text = (FOLDER / kind / "env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(\w+)=$", text, re.MULTILINE)
    return {name: f"the-{name.lower()}" for name in names}


def compose(kind: str) -> dict[str, Any]:
    """A compose file as compose-spec's reader understands it."""
    env = said(kind)

    def fill(found: re.Match[str]) -> str:
        name, how, default = found.groups()
        assert how == "-" or name in env, f"{name} is in no env.example"
        return env.get(name, default if how == "-" else "")

    text = (FOLDER / kind / "compose.yaml").read_text(encoding="utf-8")
    filled = VARIABLE.sub(fill, text)
    understood: dict[str, Any] = PyCompose.from_yaml(filled).to_dict()
    assert set(understood["services"]) == set(yaml.safe_load(filled)["services"])
    found: dict[str, Any] = yaml.safe_load(filled)
    return found


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_compose_file_is_one_and_mounts_what_is_there(kind: str) -> None:
    found = compose(kind)
    for name, service in found["services"].items():
        for mount in service.get("volumes", []):
            source, _, rest = mount.partition(":")
            if source.startswith("."):
                assert (FOLDER / kind / source).exists(), mount
                assert rest.endswith(":ro"), mount
            else:
                assert source in found["volumes"], mount
        for other in service.get("depends_on", {}):
            assert other in found["services"], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "published to others only where somebody says so"
        build = service.get("build")
        if build:
            context = (FOLDER / kind / build["context"]).resolve()
            assert (context / build["dockerfile"]).is_file()


def test_what_is_no_compose_file_is_refused() -> None:
    with pytest.raises(ValueError, match="imagee"):
        PyCompose.from_yaml("services: { sprue: { imagee: sprue } }")


@pytest.mark.parametrize("kind", KINDS)
def test_the_agents_configuration_is_right_and_fits(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = compose(kind)["services"]
    for name, value in environment(services["sprue"]).items():
        monkeypatch.setenv(name, value)
    loaded = load(FOLDER / kind / "sprue.toml")
    assert loaded.record_url.startswith("sqlite:////var/lib/sprue/")
    assert loaded.pki == Path("/var/lib/sprue/pki")
    assert "record:/var/lib/sprue" in services["sprue"]["volumes"]
    (sink,) = loaded.config.forward
    if isinstance(sink, InfluxSettings):
        server = environment(services["influxdb"])
        assert sink.url == "http://influxdb:8086"
        assert sink.org == server["DOCKER_INFLUXDB_INIT_ORG"]
        assert sink.bucket == server["DOCKER_INFLUXDB_INIT_BUCKET"]
        assert sink.token is not None
        assert sink.token.read("influxdb", "token") == server["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"]
    else:
        assert isinstance(sink, PlantSettings)
        server = environment(services["postgresql"])
        url = sink.address.url
        assert (url.username, url.host, url.database) == (
            server["POSTGRES_USER"], "postgresql", server["POSTGRES_DB"],
        )  # fmt: skip
        assert sink.address.parameters["sslmode"] == "disable"
        assert environment(services["sprue"])["PGPASSWORD"] == server["POSTGRES_PASSWORD"]


def test_grafana_is_given_what_its_data_source_asks_for() -> None:
    grafana = compose("influxdb")["services"]["grafana"]
    mounts = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    (source,) = [path for path in mounts if path.endswith("influxdb-flux.yaml")]
    asked = re.findall(r": \$(\w+)$", (FOLDER / "influxdb" / source).read_text(), re.MULTILINE)
    assert len(asked) == 4
    assert set(asked) <= set(environment(grafana))
    (folder,) = [
        source for source, target in mounts.items() if target.endswith("/dashboards/sprue")
    ]
    assert len([*(FOLDER / "influxdb" / folder).glob("*.json")]) == 6


def test_the_pages_of_a_plant_are_served_as_said() -> None:
    command = compose("postgresql")["services"]["plant"]["command"]
    assert command[0] == "serve"
    served = Served.model_validate(read(FOLDER / "postgresql" / command[-1]))
    assert served.web.listen == "0.0.0.0:8420"


def test_the_image_is_made_from_what_is_let_in() -> None:
    docker = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    let_in = re.findall(r"^!(\S+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert all((ROOT / each).exists() for each in let_in)
    for line in re.findall(r"^COPY (?!--from)(.+)$", docker, re.MULTILINE):
        *sources, _target = line.split()
        for each in sources:
            assert (ROOT / each).exists(), each
            assert each == "." or each.partition("/")[0] in let_in, each
    packages = re.search(r"^packages = \[(.+)\]$", (ROOT / "pyproject.toml").read_text(), re.M)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= set(let_in)

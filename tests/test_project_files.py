"""What others read of the project: catalogs, citation, continuous integration, the page about configuration."""

import re
import tomllib
from collections import Counter

import yaml

from conftest import ROOT


def yaml_of(path):
    return yaml.safe_load((ROOT / path).read_text())


def test_continuous_integration_runs_the_script_that_developers_run():
    steps = yaml_of(".github/workflows/ci.yml")["jobs"]["run"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["bash .ci/run"]


def test_the_catalog_is_told_how_software_is_deployed():
    usage = yaml_of(".snakemake-workflow-catalog.yml")["usage"]
    assert usage["software-stack-deployment"] == {"conda": True}
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert rules.count("\n    conda:") > 15


def test_the_citation_names_the_version_and_license_of_the_package():
    citation = yaml_of("CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_the_page_about_configuration_has_every_config_and_every_key():
    page = (ROOT / "config/README.md").read_text()
    schema = yaml_of("workflow/schemas/config.schema.yaml")
    assert set(schema["properties"]) <= set(re.findall(r"`(\w+)`", page))
    for config in (ROOT / "config").glob("*.yaml"):
        assert f"[{config.name}]({config.name})" in page


def test_links_of_the_page_about_configuration_lead_somewhere():
    page = (ROOT / "config/README.md").read_text()
    for path in re.findall(r"\]\(([^)#]+)", page):
        assert (ROOT / "config" / path).exists(), path


def test_each_class_and_each_module_has_a_name_of_its_own():
    # Each package may declare its settings.
    shared = ("__init__.py", "settings.py")
    paths = [*(ROOT / "workflow/scripts/sqladder").rglob("*.py")]
    modules = [path.name for path in paths if path.name not in shared]
    classes = re.findall(r"^class (\w+)", "\n".join(path.read_text() for path in paths), re.M)
    assert [name for name, n in Counter(modules + classes).items() if n > 1] == []

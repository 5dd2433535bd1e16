"""The pins of workflow/envs: exact, and such that pip finds packages for all of them together."""

import ast
import re
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT
from sqladder.experiment.code_digests import reached_files

ENVIRONMENTS = sorted((ROOT / "workflow/envs").glob("*.yaml"))
# What mcore_adapter's pyproject.toml asks for, at the commit that megatron.yaml names: a code host
# is not asked, an index of packages is.
FROM_A_CODE_HOST = {
    "mcore_adapter": ["megatron-core>=0.15.0,<0.19.0", "transformers>=4.50.0", "accelerate>=0.27.2"]
}
UNREACHABLE = re.compile(
    r"error sending request|[Ff]ailed to fetch|dns error|Connect", re.IGNORECASE
)


def pins(environment):
    """The packages of pip and the version of Python that an environment names."""
    dependencies = yaml.safe_load(environment.read_text())["dependencies"]
    (python,) = [d for d in dependencies if str(d).startswith("python=")]
    (packages,) = [d["pip"] for d in dependencies if isinstance(d, dict)]
    return packages, python.removeprefix("python=")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What the index of packages says, asked once for all environments."""
    return tmp_path_factory.mktemp("cache")


def resolve(packages, python, cache):
    """Resolve what pip would install, from metadata alone; nothing is downloaded but that."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--python-version", python]
    command += ["--cache-dir", str(cache), "-"]
    done = subprocess.run(command, input="\n".join(packages), capture_output=True, text=True)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"no index of packages can be reached: {done.stderr.strip().splitlines()[-1]}")
    return done


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_package_is_pinned_to_one_version(environment):
    for package in pins(environment)[0]:
        assert re.fullmatch(
            r"[\w.-]+(\[\w+\])?==[\w.]+|\w+ @ git\+https://.*@[0-9a-f]{40}#.*", package
        )


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.stem)
def test_the_pins_of_an_environment_resolve_together(environment, cache):
    packages, python = pins(environment)
    asked = []
    for package in packages:
        name, _, elsewhere = package.partition(" @ ")
        asked += FROM_A_CODE_HOST[name] if elsewhere else [package]
    done = resolve(asked, python, cache)
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    for package in packages:
        if "==" in package:
            assert re.sub(r"\[.*\]", "", package) in {re.sub(r"\[.*\]", "", line) for line in found}


@pytest.mark.slow
def test_pins_that_contradict_each_other_do_not_resolve(cache):
    done = resolve(["llamafactory==0.9.5", "transformers==5.7.0"], "3.11", cache)
    assert done.returncode != 0
    assert "llamafactory" in done.stderr


SCRIPTS = ROOT / "workflow/scripts"
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "markdown_it": "markdown-it-py",
    "pydantic_core": "pydantic-core",
}


def third_party(program):
    """Names of what a program and its modules import that neither Python nor the project brings."""
    found = set()
    for path in reached_files(SCRIPTS / program):
        for node in ast.walk(ast.parse(path.read_text()) if path.suffix == ".py" else ast.Module()):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"sqladder"}


def test_the_reports_environment_pins_what_its_programs_import():
    rules = (ROOT / "workflow/rules/report.smk").read_text()
    pinned = (ROOT / "workflow/envs/report.yaml").read_text()
    rules_with_it = [part for part in rules.split("\nrule ") if "report.yaml" in part]
    programs = [f"{part.split(':')[0]}.py" for part in rules_with_it]
    assert "write_model_cards.py" in programs
    for program in programs:
        for name in third_party(program):
            assert f"- {DISTRIBUTIONS.get(name, name)}==" in pinned, (program, name)

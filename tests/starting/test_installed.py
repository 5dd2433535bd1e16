"""The workflow without a clone: from the wheel, as a module of another workflow, and as its catalog deploys it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, run_snakemake
from sqladder.errors import InputError
from sqladder.starting.run_command import snakemake_command

PARTS = ("Snakefile", "config", "profiles", "requirements", "resources/demo", "workflow")
FILES = ("LICENSE", "README.md", "pyproject.toml", "setup.py", "MANIFEST.in")


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository of the project as it lies here, with the tag v1.0.0."""
    folder = tmp_path_factory.mktemp("hosted") / "somebody/sqladder"
    folder.mkdir(parents=True)
    known = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z", *PARTS, *FILES],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, known.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "all")
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture(scope="module")
def installed(repository, tmp_path_factory):
    """The folder into which pip installed the wheel, and nothing else."""
    made = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    only = ["--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *only, "--wheel-dir", made, repository], check=True)
    [wheel] = made.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", made / "site", wheel], check=True)
    return made / "site"


def sqladder(installed, folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "sqladder.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def with_config(folder):
    (folder / "config").mkdir()
    text = (ROOT / "config/config.yaml").read_text().replace("variations: 5", "variations: 1")
    (folder / "config/config.yaml").write_text(text)
    return folder


def test_the_wheel_runs_the_workflow_in_a_folder_that_has_a_config_alone(installed, tmp_path):
    with_config(tmp_path)
    target = "resources/datasets/demo/databases"
    done = sqladder(installed, tmp_path, "run", "--cores", "1", target)
    assert done.returncode == 0, done.stdout
    assert [*(tmp_path / target).glob("*/*.sqlite")]
    # Its own profile, found although it lies elsewhere, and its own programs.
    assert f"Using workflow specific profile {installed}/sqladder/project" in done.stdout
    again = sqladder(installed, tmp_path, "run", "-n", "--workflow-profile", "profiles/gpu")
    assert again.returncode == 0, again.stdout
    assert "build_demo_databases" not in again.stdout


def test_each_part_of_the_workflow_is_in_the_wheel(installed):
    for part in PARTS:
        for path in [ROOT / part] if (ROOT / part).is_file() else (ROOT / part).rglob("*"):
            relative = path.relative_to(ROOT)
            if path.is_file() and not {"__pycache__", "checksums"} & set(relative.parts):
                inside = installed / "sqladder/project" / relative
                assert path.suffix == ".pyc" or ".egg-info" in str(path) or inside.is_file(), path


def test_a_wheel_alone_says_what_a_run_needs(installed, tmp_path):
    # Without the environment's packages; an installed wheel has the lock beside the package.
    start = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from sqladder.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start, "run", "--cores", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: the workflow's packages are not installed")
    [lock] = {word for word in line.split() if word.endswith("workflow.lock")}
    assert Path(lock.rstrip(";")).is_file()


def test_a_run_without_config_says_how_to_get_one(tmp_path):
    with pytest.raises(InputError, match=r"sqladder init writes one"):
        snakemake_command(["-n"], tmp_path)
    command, environment = snakemake_command(["--configfile=my.yaml", "-n"], tmp_path)
    assert command[-4:] == ["--snakefile", str(ROOT / "Snakefile"), "--configfile=my.yaml", "-n"]
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_a_profile_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no profile gpus: .* --workflow-profile gpu"):
        snakemake_command(["--workflow-profile", "gpus"], with_config(tmp_path))


def as_hosted(repository, folder):
    """The environment in which github.com is a folder here, and Snakemake's caches are empty."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.parent.parent}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


MODULE = """
configfile: "config/config.yaml"

module sqladder:
    snakefile: {snakefile}
    config: config

use rule * from sqladder
"""


@pytest.mark.parametrize(
    "snakefile",
    [
        repr(str(ROOT / "workflow/Snakefile")),
        'github("somebody/sqladder", path="workflow/Snakefile", tag="v1.0.0")',
    ],
    ids=["folder", "repository"],
)
def test_another_workflow_uses_it_as_a_module(repository, tmp_path, snakefile):
    with_config(tmp_path)
    (tmp_path / "Snakefile").write_text(MODULE.format(snakefile=snakefile))
    environment = as_hosted(repository, tmp_path)
    done = run_snakemake(tmp_path, "-n", **environment)
    assert done.returncode == 0, done.stdout
    assert "write_report" in done.stdout
    # The programs of a repository lie in a folder of this run's, whole.
    kept = [*(tmp_path / ".snakemake").glob("sqladder/*/workflow/scripts/sqladder/errors.py")]
    assert len(kept) == snakefile.startswith("github")


def test_snakedeploy_writes_a_folder_that_can_be_planned(repository, tmp_path, monkeypatch):
    deploy = pytest.importorskip("snakedeploy.deploy").deploy
    environment = as_hosted(repository, tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "mine"
    deploy("https://github.com/somebody/sqladder", None, "v1.0.0", None, folder)
    written = (folder / "workflow/Snakefile").read_text()
    assert 'path="workflow/Snakefile", tag="v1.0.0"' in written
    done = run_snakemake(folder, "-n", **environment)
    assert done.returncode == 0, done.stdout
    assert "write_report" in done.stdout

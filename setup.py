"""What pyproject.toml cannot say: the wheel holds the whole workflow, so that `sqladder run` needs no clone."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# As they lie in a clone, the package beside the programs included: a job may run in an environment of conda that has no
# package of this name.
PARTS = ("Snakefile", "config", "profiles", "requirements", "resources/demo", "workflow")
TARGET = "sqladder/project"


class BuildWithWorkflow(build_py):
    """Adds the workflow to the package, but for an editable install, which finds it in the clone."""

    def run(self) -> None:
        """Build the package and copy the workflow into it."""
        super().run()
        if not self.editable_mode:
            for name in PARTS:
                self._copy(ROOT / name, Path(self.build_lib) / TARGET / name)

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copyfile(source, target)
            return
        leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        shutil.copytree(source, target, ignore=leftovers, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithWorkflow})

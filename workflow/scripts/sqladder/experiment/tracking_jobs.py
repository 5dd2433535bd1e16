"""Jobs of workflow/rules/track.smk, and the program beside a run that sends what its trainings write meanwhile.

No training knows of trackers: neither its flags nor its code say anything of them, so an edit of `trackers` trains
nothing, and nothing that a tracker does can end a training.
"""

import hashlib
import json
import subprocess
from pathlib import Path

from sqladder.errors import InputError
from sqladder.experiment.flags import as_flags
from sqladder.experiment.reading import Config
from sqladder.experiment.reinforced import reinforced
from sqladder.experiment.trainings import names_of_trainings
from sqladder.experiment.variants import own_entry, replicates, with_model
from sqladder.files import read_json
from sqladder.processes.lifetime import dying_with_us

_FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
_LOG = Path("logs/track/while_training.log")
# What a tracker may still be at when a run ends; the next run, or the jobs of this rule, send the rest.
_SECONDS_TO_END = 20


def trackers(config: Config) -> list[str]:
    """Names of the trackers."""
    return list(config.get("trackers", []))


def tracked(config: Config) -> list[str]:
    """Names of all that are shown there: trainings of any kind, and models that are scored."""
    if not trackers(config):
        return []
    return list(dict.fromkeys([*_trained(config), *replicates(config)]))


def _trained(config: Config) -> list[str]:
    """Names of all that have a training of their own, on given rows or by reward."""
    return list(dict.fromkeys([*names_of_trainings(config), *reinforced(config)]))


def tracked_files(config: Config) -> list[str]:
    """The files that say where each was sent."""
    return [f"results/tracking/{name}.json" for name in tracked(config)]


def tracked_training(config: Config, replicate: str) -> str | list[str]:
    """How a model was trained, where it was made here."""
    is_made = replicate in {*_trained(config), *with_model(config)}
    return f"results/{replicate}/train.json" if is_made else []


def tracked_scores(config: Config, replicate: str) -> str | list[str]:
    """The scores of a replicate; candidates, rounds and points of curves have none."""
    return f"results/{replicate}/metrics.json" if replicate in replicates(config) else []


def tracking_flags(config: Config, replicate: str) -> list[str]:
    """Where it is sent, and as what."""
    return [*as_flags({"tracker": trackers(config)}), "--run", replicate, _key(config, replicate)]


def earlier_failures(config: Config, replicate: str) -> int:
    """How often a tracker failed so far: one more than when the job ran, so that it runs again."""
    path = Path(f"results/tracking/{replicate}.json")
    return read_json(path)["failures"] if path.is_file() else 0


def _key(config: Config, replicate: str) -> str:
    """A digest of what the config says of a run beside the settings of its training, which say themselves."""
    own = replicates(config).get(replicate)
    is_trained = replicate in _trained(config)
    about = {
        "base_model": config["base_model"],
        "test_on": config["datasets"][config["test_on"]],
        "entry": own_entry(config, replicate) if own and not is_trained else {},
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def check_trackers(config: Config) -> None:
    """Refuse a tracker whose package the `python` of the rules does not have.

    Raises:
        InputError: it is missing; the message has the ways out.
    """
    for name in trackers(config):
        if not _is_installed(name):
            raise InputError(
                f"trackers: {name} is not installed here: run with --software-deployment-method conda, install "
                f"requirements/trackers.lock (make trackers), or take {name} out"
            )


def _is_installed(name: str) -> bool:
    return subprocess.run(["python", "-c", _FIND, name], check=False).returncode == 0


def unsent(config: Config) -> list[str]:
    """What trackers did not take at their last try, a line each."""
    lines = []
    for name in tracked(config):
        path = Path(f"results/tracking/{name}.json")
        problems = read_json(path)["problems"] if path.is_file() else {}
        lines += [
            f"trackers: {tracker} did not take {name} ({problem}); the next run tries again"
            for tracker, problem in problems.items()
        ]
    return lines


class Follower:
    """The program that sends what trainings write while they are under way; it ends with this process.

    Args:
        config: the experiment.
        scripts: the folder of the programs.
    """

    def __init__(self, config: Config, scripts: Path) -> None:
        command = ["python", str(scripts / "track.py"), "--follow"]
        command += as_flags({"tracker": trackers(config)})
        for name in _trained(config):
            command += ["--run", name, _key(config, name)]
        _LOG.parent.mkdir(parents=True, exist_ok=True)
        with _LOG.open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=dying_with_us(),
            )

    def end(self) -> None:
        """Let it send what is there, for some seconds."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_follower(config: Config, scripts: Path) -> Follower | None:
    """Start the program, where something is tracked and trained and all that it needs is there."""
    is_wanted = trackers(config) and _trained(config)
    if not is_wanted or not all(map(_is_installed, trackers(config))):
        return None
    return Follower(config, scripts)

"""The points of a training by reward in the file that trackers read while it goes on."""

from sqladder.reinforcement.curves import CURVES
from sqladder.training.training_log import Row, TrainingLog


class RewardLog(TrainingLog):
    """Writes the curves of rewards by the names of train.json; how fast tokens are drawn hangs on their lengths."""

    def measured(self, logs: Row, steps_per_second: float) -> Row:
        """The curves' values of a point, those that there are."""
        return {name: logs[key] for name, key in CURVES.items() if key in logs}

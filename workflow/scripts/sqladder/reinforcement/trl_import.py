"""TRL's GRPOTrainer, imported beside the versions of transformers and vLLM that are here.

TRL 0.24 asks transformers whether optional packages are there, and newer ones answer with a pair, which counts as yes
whatever it says. Its own use of vLLM is written for 0.10.2 and does not import beside later ones; answers come from
this project's engines anyway. So it is told what is there, and that vLLM is not.
"""

from trl import import_utils


def _say_what_is_there() -> None:
    for name, answer in list(vars(import_utils).items()):
        if name.endswith("_available") and isinstance(answer, tuple):
            setattr(import_utils, name, answer[0])
    import_utils._vllm_available = False


_say_what_is_there()

from trl.trainer.grpo_config import GRPOConfig  # noqa: E402
from trl.trainer.grpo_trainer import GRPOTrainer  # noqa: E402

__all__ = ["GRPOConfig", "GRPOTrainer"]

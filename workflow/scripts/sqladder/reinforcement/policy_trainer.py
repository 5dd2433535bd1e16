"""TRL's GRPOTrainer with answers of this project's engines and rewards of its metric."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch

from sqladder.generation.contract import Completion, prompt_seed
from sqladder.generation.extraction import extract_sql
from sqladder.generation.settings import DecodingSettings
from sqladder.reinforcement.answer_judge import AnswerJudge
from sqladder.reinforcement.rewards import Parts, group_counts, parts_of
from sqladder.reinforcement.step_clock import StepClock
from sqladder.reinforcement.trl_import import GRPOTrainer


class PolicyAnswers(Protocol):
    """What draws answers of the model that is trained."""

    def draw(
        self, network: Any, prompts: Sequence[Sequence[int]], decoding: DecodingSettings
    ) -> list[list[Completion]]:
        """As many answers to each prompt as the decoding asks for, by the network's present weights."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class AskedQuestions(NamedTuple):
    """What is asked and how it is judged.

    Attributes:
        ids: of the questions, by their places in the training's data.
        prompts: token ids of each.
        decoding: how answers are drawn; its seed is that of the training.
        drawing: draws them.
        judge: judges them.
        decode: turns the tokens of answers into text.
    """

    ids: Sequence[Any]
    prompts: Sequence[Sequence[int]]
    decoding: DecodingSettings
    drawing: PolicyAnswers
    judge: AnswerJudge
    decode: Callable[[Sequence[Sequence[int]]], list[str]]


class PolicyTrainer(GRPOTrainer):
    """Draws a step's answers by an engine, and rewards them by what they give when they are executed.

    The data have the place of a question as text in `prompt`. What is drawn depends on the seed, the step and the
    prompt, not on how often a training was killed before.
    """

    def __init__(
        self, asked: AskedQuestions, clock: StepClock, weights: Parts, **kwargs: Any
    ) -> None:
        self._asked, self._clock = asked, clock
        self._texts: list[str] = []
        parts: list[Any] = [_part(self, name) for name in Parts._fields]
        # TRL notes there what it has warned of, and newer models have no such place.
        kwargs["model"].warnings_issued = {}
        super().__init__(reward_funcs=parts, **kwargs)
        self.reward_weights = torch.tensor(weights, dtype=torch.float32)
        self._judged: list[Parts] = []
        self._told: dict[str, float] = {}

    def _generate_single_turn(self, prompts: list[str], images: Any) -> tuple[Any, ...]:
        """Token ids of each prompt and of its answer, end token included; as TRL wants them."""
        asked, samples = self._asked, self._asked.decoding.samples
        places = [int(text) for text in prompts[::samples]]
        ids = [list(asked.prompts[place]) for place in places]
        seed = prompt_seed(asked.decoding.seed, [self.state.global_step])
        decoding = asked.decoding.model_copy(update={"seed": seed})
        network = self.accelerator.unwrap_model(self.model)
        with self._clock.measuring("generation"), torch.no_grad():
            drawn = asked.drawing.draw(network, ids, decoding)
        answers = [answer for own in drawn for answer in own]
        self._metrics["train"]["completions/cut_off"].append(
            sum(own.finish_reason == "length" for own in answers) / len(answers)
        )
        with self._clock.measuring("judging"):
            self._texts = asked.decode([own.token_ids for own in answers])
            names = [asked.ids[place] for place in places for _ in range(samples)]
            self._judged = self._rewarded(names)
        repeated = [own for own in ids for _ in range(samples)]
        return repeated, [_with_end(own) for own in answers], None, {}

    def _rewarded(self, names: Sequence[Any]) -> list[Parts]:
        """The parts of the reward of each answer."""
        sqls = [extract_sql(text) for text in self._texts]
        judge = self._asked.judge
        judged = judge.judge(list(zip(names, sqls, strict=True)))
        golds = map(judge.golds, names)
        return [parts_of(*own) for own in zip(self._texts, sqls, judged, golds, strict=True)]

    def _calculate_rewards(self, *args: Any) -> torch.Tensor:
        """The parts of each answer's reward, and how many groups' rewards say nothing."""
        parts: torch.Tensor = super()._calculate_rewards(*args)
        grouped = parts.view(-1, self._asked.decoding.samples, len(Parts._fields))
        whole = (grouped * self.reward_weights.to(parts.device)).sum(dim=-1)
        for name, share in group_counts(grouped[..., 0], whole).items():
            self._metrics["train"][name].append(share)
        return parts

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Measure what it takes, without drawing and judging."""
        with self._clock.measuring("training"):
            loss: torch.Tensor = super().training_step(*args, **kwargs)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell the seconds beside what TRL tells, and of an update on answers that were told of what was told then."""
        if "loss" in logs:
            logs = logs | self._clock.since_last_point()
            own = self._metrics["train"]
            for name, value in self._told.items():
                own[name] = own[name] or [value]
            self._told = {name: sum(values) / len(values) for name, values in own.items()}
        super().log(logs, start_time)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Checkpoints are nobody's models to read about."""


def _part(trainer: PolicyTrainer, name: str) -> Callable[..., list[float]]:
    """TRL's reward function of one part, by its name in the curves."""

    def reward(**_: Any) -> list[float]:
        return [getattr(parts, name) for parts in trainer._judged]

    reward.__name__ = name
    return reward


def _with_end(answer: Completion) -> list[int]:
    """The tokens whose probability is learned: the one that ended the answer, too."""
    return answer.token_ids + ([] if answer.end_token is None else [answer.end_token])

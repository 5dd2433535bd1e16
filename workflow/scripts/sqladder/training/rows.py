"""The rows of a training job: prepared by its first process, waited for by the others."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqladder.errors import LOG
from sqladder.files import Row, read_json, read_jsonl, write_json
from sqladder.models.turns import Turns, read_turns
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.training import megatron
from sqladder.training.labelled_answers import IS_RIGHT, labelled_answers, labelled_rows
from sqladder.training.launch import ROWS_FILE
from sqladder.training.nested_sample import nested_sample
from sqladder.training.packing import PackedLimits, TokenRow, pack, token_row, write_token_rows
from sqladder.training.pairs import TokenPair, lengths, pairs_within, token_pairs
from sqladder.training.preferences import (
    no_media,
    preference_row,
    preferences,
    preferences_within,
)
from sqladder.training.row_names import write_row_names
from sqladder.training.row_weights import parse_weights, weighted_rows
from sqladder.training.settings import TrainingSettings


class PreparedRows(NamedTuple):
    """What the processes of a training know of its rows.

    Attributes:
        number: how many there are, packed ones if packing is on.
        padding: the token that fills rows up.
        limits: of the packed rows that a process takes at once, None where each row stands alone.
    """

    number: int
    padding: int
    limits: PackedLimits | None


def prepare_rows(
    settings: TrainingSettings, base_model: Path, data: Path, work_folder: Path
) -> list[TokenPair]:
    """Write the rows that all processes of a training read, and return those of the data in them."""
    turns = read_turns(base_model)
    if settings.preference:
        of_pairs = settings.preference.of_pairs
        return _prepare_preferences(settings, turns, data, work_folder, of_pairs=of_pairs)
    rows = rows_to_learn(settings, data)
    turns.say()
    pairs = token_pairs(turns, rows, data)
    write_row_names(work_folder, rows, pairs)
    pairs = pairs_within(pairs, settings.cutoff_length)
    longest = max(lengths(pairs))
    prepared = _token_rows(settings, pairs, longest, turns.pad)
    write_token_rows(work_folder / "data", prepared)
    packed = settings.packing_length and settings.parallelism.method != "megatron"
    limits = PackedLimits.of(prepared, longest, settings.batch_size) if packed else None
    write_json(work_folder / ROWS_FILE, PreparedRows(len(prepared), turns.pad, limits))
    return pairs


def rows_to_learn(settings: TrainingSettings, data: Path) -> list[Row]:
    """The rows of the data that are seen in one pass: a share of them, then each as often as its set's weight says."""
    rows = nested_sample(read_jsonl(data, PROMPT_FIELDS), settings.share_of_rows, settings.seed)
    return weighted_rows(rows, parse_weights(settings.weights), settings.seed)


def _prepare_preferences(
    settings: TrainingSettings, turns: Turns, data: Path, work_folder: Path, *, of_pairs: bool
) -> list[TokenPair]:
    """The same of pairs of a right and a wrong answer, or of these each by itself: all are returned, as computed."""
    turns.say()
    pairs = preferences_within(preferences(turns, data), settings.cutoff_length)
    if of_pairs:
        rows, beside = [preference_row(own) for own in pairs], {}
        learned = [answer for own in pairs for answer in own]
    else:
        answers = labelled_answers(pairs)
        rows, beside = labelled_rows(answers), {IS_RIGHT: [own.is_right for own in answers]}
        learned = [own.answer for own in answers]
    write_token_rows(work_folder / "data", rows, {**no_media(len(rows)), **beside})
    write_json(work_folder / ROWS_FILE, PreparedRows(len(rows), turns.pad, None))
    return learned


def _token_rows(
    settings: TrainingSettings, pairs: Sequence[TokenPair], longest: int, padding: int
) -> list[TokenRow]:
    if settings.parallelism.method == "megatron":
        return [token_row(pair) for pair in megatron.epoch_rows(pairs, settings)]
    if not settings.packing_length:
        return [token_row(pair) for pair in pairs]
    packed = pack(pairs, settings.packing_length, longest, padding, settings.seed)
    share = sum(lengths(pairs)) / (len(packed) * settings.packing_length)
    LOG.info(
        f"packed {len(pairs)} rows into {len(packed)} of {settings.packing_length} tokens, "
        f"{share:.1%} full"
    )
    return packed


def wait_for_rows(work_folder: Path) -> PreparedRows:
    """Wait for the first process to write the rows; should it fail, the launcher ends us."""
    while not (work_folder / ROWS_FILE).is_file():
        time.sleep(0.1)
    number, padding, limits = read_json(work_folder / ROWS_FILE)
    return PreparedRows(number, padding, limits and PackedLimits(*limits))


def planned_steps(rows: int, settings: TrainingSettings) -> int:
    """Optimizer steps of the whole run, as the Trainer counts them; the last of an epoch is short."""
    if settings.parallelism.method == "megatron":
        return rows // megatron.rows_per_step(settings)
    batches = math.ceil(math.ceil(rows / settings.batch_size) / settings.parallelism.copies)
    return math.ceil(settings.epochs * math.ceil(batches / settings.gradient_accumulation))

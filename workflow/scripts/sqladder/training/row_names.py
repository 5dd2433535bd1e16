"""Names of the data's rows by their token ids, in which alone a training knows them."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sqladder.files import Row, read_json, write_json
from sqladder.metric.showing import VALUE, cut
from sqladder.training.pairs import IGNORED, TokenPair

ROW_NAMES_FILE = "row_names.json"
MOST_NAMES = 20

Batch = dict[str, torch.Tensor]


def write_row_names(work_folder: Path, rows: Sequence[Row], pairs: Sequence[TokenPair]) -> None:
    """Keep which row of the data has which token ids: its id, or its number from 1."""
    names: dict[str, list[Any]] = {}
    for number, (row, (prompt, answer)) in enumerate(zip(rows, pairs, strict=True), start=1):
        names.setdefault(digest(prompt + answer), []).append(row.get("id", number))
    write_json(work_folder / ROW_NAMES_FILE, names)


def row_names(work_folder: Path, rows: Sequence[Sequence[int] | np.ndarray]) -> str:
    """Names of rows of the data by their token ids, as many as a message holds."""
    known = read_json(work_folder / ROW_NAMES_FILE)
    names = [name for row in rows for name in known.get(digest(row), ["unknown"])]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(cut(str(name), VALUE) for name in names[:MOST_NAMES]) + more


def members(batch: Batch) -> Iterator[np.ndarray]:
    """Token ids of each row of the data in a batch, whether rows are packed or padded.

    Args:
        batch: `input_ids` and `labels`, and `attention_mask` and `position_ids` where there are any;
            each of (rows, length).
    """
    arrays = {name: tensor.cpu().numpy() for name, tensor in batch.items()}
    for row in range(len(arrays["input_ids"])):
        mask = arrays["attention_mask"][row] != 0 if "attention_mask" in arrays else slice(None)
        ids, labels = arrays["input_ids"][row][mask], arrays["labels"][row][mask]
        starts = np.array([0])
        if "position_ids" in arrays:
            starts = np.flatnonzero(arrays["position_ids"][row][mask] == 0)
        for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
            if (labels[start:end] != IGNORED).any():  # else padding
                yield ids[start:end]


def digest(ids: Sequence[int] | np.ndarray) -> str:
    """A short text that stands for a row's token ids."""
    return hashlib.blake2b(np.asarray(ids, np.int32).tobytes(), digest_size=8).hexdigest()

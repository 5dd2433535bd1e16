"""The files that Weights & Biases writes of a run, read back: after a kill they end before what was logged last.

The format is that of LevelDB's log (https://github.com/google/leveldb/blob/main/doc/log_format.md) after a head of
seven bytes; a record is a message of `wandb.proto`.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEAD, _BLOCK, _RECORD_HEAD = 7, 32768, 7
_WHOLE, _LAST = 1, 4


def read_records(path: Path) -> Iterator[Any]:
    """Yield a file's messages of `wandb.proto` in their order; one that was cut off ends it."""
    from wandb.proto import wandb_internal_pb2

    for data in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        yield record


def read_history(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what was logged, a mapping for each call of `log`."""
    for record in read_records(path):
        if record.WhichOneof("record_type") == "history":
            yield {
                own.key or "/".join(own.nested_key): json.loads(own.value_json)
                for own in record.history.item
            }


def _records(data: bytes) -> Iterator[bytes]:
    place, record = _HEAD, b""
    while place + _RECORD_HEAD <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _RECORD_HEAD:
            place += left
            continue
        size, kind = struct.unpack("<HB", data[place + 4 : place + _RECORD_HEAD])
        end = place + _RECORD_HEAD + size
        if not kind or end > len(data):
            return
        record += data[place + _RECORD_HEAD : end]
        place = end
        if kind in (_WHOLE, _LAST):
            yield record
            record = b""

"""Split the questions so that no split shares (schema, question type, values) with another.

The toy base model is trained on `pretrain`: the easy types and simple joins over all schemas, which
show it every table and column, and each other type over a few schemas, which show it every keyword.
`train`, for fine-tuning, holds the combinations of schema and type that the base has not seen, and
some that it has. `test` and `validation` are drawn from all combinations, so that the base is right
on a part of them.
"""

import random
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from sqladder.demo.questions import LEVELS, TYPES, DemoQuestion

SPLITS = ("pretrain", "train", "validation", "test")
# Over how many schemas the base sees a type, where it is not all: the fewer, the more is left to
# fine-tuning. Types that have only a handful of questions a schema are seen over more of them.
EVERYWHERE = (*LEVELS["easy"], "join_list")
SCARCE = ("group_count", "group_top", "intersect", "join_group", "not_in", "union")
SCARCE_TYPE_SCHEMAS, OTHER_TYPE_SCHEMAS = 3, 1
TEST_PERCENT, VALIDATION_PERCENT = 12, 5
TEST_SIZE, VALIDATION_SIZE = 360, 100
# Of the combinations that the base sees, this share of the keys is kept for fine-tuning.
REPLAY_PERCENT = 10
# Most questions of one combination of schema and type in `train`, new to the base or seen by it.
NEW_LIMIT, REPLAY_LIMIT = 16, 4


def split(questions: Iterable[DemoQuestion], seed: int) -> dict[str, list[DemoQuestion]]:
    """Assign every question to a split by the hash of its key; sample the two that are scored."""
    questions = list(questions)
    schemas = sorted({question.db_id for question in questions})
    splits: dict[str, list[DemoQuestion]] = {name: [] for name in SPLITS}
    for question in questions:
        splits[_split_of(question, schemas, seed)].append(question)
    rng = random.Random(f"{seed}/split")
    splits["test"] = _balanced(splits["test"], TEST_SIZE, rng)
    splits["validation"] = _balanced(splits["validation"], VALIDATION_SIZE, rng)
    splits["train"] = _limited(splits["train"], schemas)
    for name in ("pretrain", "train"):
        rng.shuffle(splits[name])
    return splits


def _split_of(question: DemoQuestion, schemas: list[str], seed: int) -> str:
    percent = int(sha256(f"{seed}/{question.key}".encode()).hexdigest(), 16) % 100
    if percent < TEST_PERCENT:
        return "test"
    if percent < TEST_PERCENT + VALIDATION_PERCENT:
        return "validation"
    if not in_pretraining(question.db_id, question.source, schemas):
        return "train"
    return "train" if percent >= 100 - REPLAY_PERCENT else "pretrain"


def in_pretraining(db_id: str, source: str, schemas: list[str]) -> bool:
    """Whether the base model sees this question type over this schema.

    Types that it does not see everywhere rotate, so that every schema has some of them.
    """
    if source in EVERYWHERE:
        return True
    turn = schemas.index(db_id) - 3 * list(TYPES).index(source)
    seen = SCARCE_TYPE_SCHEMAS if source in SCARCE else OTHER_TYPE_SCHEMAS
    return turn % len(schemas) < seen


def _limited(questions: list[DemoQuestion], schemas: list[str]) -> list[DemoQuestion]:
    """Keep the first questions of each combination, so that no type fills the fine-tuning set."""
    kept: list[DemoQuestion] = []
    counts: Counter[tuple[str, str]] = Counter()
    for question in questions:
        combination = (question.db_id, question.source)
        counts[combination] += 1
        limit = REPLAY_LIMIT if in_pretraining(*combination, schemas) else NEW_LIMIT
        if counts[combination] <= limit:
            kept.append(question)
    return kept


def _balanced(questions: list[DemoQuestion], size: int, rng: random.Random) -> list[DemoQuestion]:
    """Draw `size` questions, one query once, equally many a level, type and schema if they last."""
    level_of = {source: level for level, types in LEVELS.items() for source in types}
    by_level: dict[str, dict[str, dict[str, list[DemoQuestion]]]] = {level: {} for level in LEVELS}
    by_query = {(question.db_id, question.sql): question for question in questions}
    for question in rng.sample(list(by_query.values()), len(by_query)):
        types = by_level[level_of[question.source]].setdefault(question.source, {})
        types.setdefault(question.db_id, []).append(question)
    taken: list[DemoQuestion] = []
    for level in by_level.values():
        taken += _round_robin(level, size // len(by_level), rng)
    return taken


def _round_robin(
    pools: dict[str, dict[str, list[DemoQuestion]]], size: int, rng: random.Random
) -> list[DemoQuestion]:
    """Take one question of each type in turn, of its schemas in turn, until `size` are taken."""
    queues = {}
    for source in sorted(pools):
        schemas = [pools[source][db_id] for db_id in sorted(pools[source])]
        rng.shuffle(schemas)
        depth = max(len(pool) for pool in schemas)
        queues[source] = [pool[i] for i in range(depth) for pool in schemas if i < len(pool)]
    taken: list[DemoQuestion] = []
    depth = max((len(queue) for queue in queues.values()), default=0)
    for i in range(depth):
        taken += [queue[i] for queue in queues.values() if i < len(queue)]
    return taken[:size]

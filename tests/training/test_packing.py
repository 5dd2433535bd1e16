"""Packed rows and fused kernels compute what single rows do."""

import random

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy

import toy_models
from sqladder.models.shapes import NetworkWeights
from sqladder.models.turns import Turns
from sqladder.training.flops import training_flops
from sqladder.training.fused import boundaries, filled, fuse_step, places
from sqladder.training.packing import PackedLimits, best_fit, pack, token_row, write_token_rows
from sqladder.training.pairs import IGNORED, token_pairs

LENGTH, LONGEST = 640, 200


@pytest.fixture(scope="module")
def pairs():
    return token_pairs(Turns(toy_models.tokenizer()), toy_models.rows(12), None)


def tensors(rows):
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def one_by_one(model, pairs):
    """Mean loss of all labels, each row computed alone by transformers' own code."""
    total, count = 0, 0
    for pair in pairs:
        row = tensors([token_row(pair)])
        logits = model(row["input_ids"], attention_mask=row["attention_mask"]).logits[:, :-1]
        labels = row["labels"][:, 1:]
        total = total + cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        count += int((labels != IGNORED).sum())
    return total / count


def gradients(model):
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def with_adapters(model):
    torch.manual_seed(0)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    return get_peft_model(model, config)


@pytest.mark.parametrize("adapt", [lambda model: model, with_adapters], ids=["full", "lora"])
def test_packed_rows_give_the_loss_and_gradients_of_single_rows(pairs, adapt):
    plain, fused = adapt(toy_models.untrained()), adapt(toy_models.untrained())
    expected = one_by_one(plain, pairs)
    expected.backward()

    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    fuse_step(fused, PackedLimits.of(rows, LONGEST, len(rows)))
    batch = tensors(rows)
    assert len(batch["input_ids"]) < len(pairs)
    loss = fused(**batch).loss
    loss.backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    left, right = gradients(plain), gradients(fused)
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(right[name], left[name], rtol=1e-4, atol=1e-7)


def test_members_of_a_packed_row_do_not_see_each_other(pairs):
    model = toy_models.untrained()
    rows = pack(pairs[:2], LENGTH, LONGEST, padding=0, seed=1)
    fuse_step(model, PackedLimits.of(rows, LONGEST, len(rows)))
    batch = tensors(rows)
    end = int((batch["position_ids"][0] == 0).nonzero()[1])
    kept = batch | {"labels": batch["labels"].clone()}
    kept["labels"][:, :end] = IGNORED
    changed = kept | {"input_ids": batch["input_ids"].clone()}
    changed["input_ids"][:, :end] = 7
    assert model(**kept).loss.item() == model(**changed).loss.item()


def test_fused_kernels_give_the_loss_of_padded_rows_too(pairs):
    plain, fused = toy_models.untrained(), toy_models.untrained()
    expected = one_by_one(plain, pairs[:3])
    rows = [token_row(pair) for pair in pairs[:3]]
    width = max(len(row["input_ids"]) for row in rows)
    fill = {"input_ids": 0, "labels": IGNORED, "attention_mask": 0}
    for row in rows:
        for name, value in fill.items():
            row[name] = row[name] + [value] * (width - len(row[name]))
    fuse_step(fused, None)
    loss = fused(**tensors(rows), num_items_in_batch=None).loss
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    halved = fused(**tensors(rows), num_items_in_batch=2 * sum(len(a) for _, a in pairs[:3])).loss
    assert halved.item() == pytest.approx(expected.item() / 2, rel=1e-6)


def test_packing_keeps_every_row_whole_and_once(pairs):
    packed = pack(pairs, LENGTH, LONGEST, padding=0, seed=3)
    members = []
    for row in packed:
        assert {len(values) for values in row.values()} == {LENGTH}
        starts = [i for i, position in enumerate(row["position_ids"]) if position == 0]
        for start, end in zip(starts, [*starts[1:], LENGTH], strict=True):
            assert row["position_ids"][start:end] == list(range(end - start))
            labels = row["labels"][start:end]
            if any(label != IGNORED for label in labels):
                members.append((row["input_ids"][start:end], labels))
    rows = [token_row(pair) for pair in pairs]
    assert sorted(members) == sorted((row["input_ids"], row["labels"]) for row in rows)
    assert pack(pairs, LENGTH, LONGEST, padding=0, seed=3) == packed
    assert pack(pairs, LENGTH, LONGEST, padding=0, seed=4) != packed


def test_bins_hold_all_items_and_little_room():
    draw = random.Random(1)
    sizes = [draw.randint(50, 1000) for _ in range(2000)]
    bins = best_fit(sizes, 4096)
    assert sorted(item for members in bins for item in members) == list(range(2000))
    assert all(sum(sizes[item] for item in members) <= 4096 for members in bins)
    assert sum(sizes) / (len(bins) * 4096) > 0.99


def test_boundaries_have_one_size_for_all_batches():
    positions = torch.tensor([[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]])
    assert boundaries(positions, 3).tolist() == [0, 3, 5, 10]
    assert boundaries(positions, 5).tolist() == [0, 3, 5, 10, 10, 10]
    assert boundaries(torch.arange(6)[None], 1).tolist() == [0, 6]


def test_a_short_batch_is_filled_up_with_rows_that_teach_nothing(pairs):
    model = toy_models.untrained()
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    limits = PackedLimits.of(rows, LONGEST, len(rows) + 2)
    fuse_step(model, limits)
    batch = tensors(rows)
    names = ("input_ids", "labels", "position_ids")
    whole = filled(tuple(batch[name] for name in names), limits)
    assert {len(tensor) for tensor in whole} == {limits.rows}
    assert int((whole[2] == 0).sum()) <= limits.members
    loss = model(**dict(zip(names, whole, strict=True))).loss
    assert loss.item() == pytest.approx(model(**batch).loss.item(), rel=1e-6)


def test_places_are_those_of_nonzero():
    draw = torch.Generator().manual_seed(1)
    for share in (0.0, 0.1, 0.5, 1.0):
        mask = torch.rand(50, generator=draw) < share
        found = mask.nonzero().flatten().tolist()
        assert places(mask, 50, -1).tolist() == found + [-1] * (50 - len(found))


def test_limits_hold_for_any_rows_at_once(pairs):
    rows = pack(pairs, LENGTH, LONGEST, padding=0, seed=1)
    limits = PackedLimits.of(rows, LONGEST, 2)
    for one in rows:
        for other in rows:
            both = one["position_ids"] + other["position_ids"]
            assert both.count(0) <= limits.members
            labels = one["labels"] + other["labels"]
            assert len(labels) - labels.count(IGNORED) <= limits.labels


def test_token_rows_come_back_as_they_were_written(pairs, tmp_path):
    from datasets import load_from_disk

    rows = [token_row(pair) for pair in pairs]
    write_token_rows(tmp_path / "data", rows)
    assert load_from_disk(tmp_path / "data").to_list() == rows


def test_operations_are_those_of_the_matrix_products():
    # q and o: 8 x 8, k and v: 8 x 4, three of the MLP: 8 x 16.
    weights = 3 * (2 * 64 + 2 * 32 + 3 * 128)
    network = NetworkWeights(weights, 8 * 100, blocks=3, query_width=8)
    forward = 2 * weights * 10 + 2 * 8 * 100 * 4 + 2 * 3 * 8 * (36 + 16)
    assert training_flops(network, [6, 4], 4, None) == 3 * forward
    attention = 2 * 3 * 8 * (36 + 16)
    adapted = 2 * (forward - attention) + 3 * attention + 6 * 50 * 10
    assert training_flops(network, [6, 4], 4, 50) == adapted

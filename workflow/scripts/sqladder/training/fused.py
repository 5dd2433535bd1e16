"""Faster computation of the same training step, for a network that is whole in one process.

Five changes, none of which alters what is computed beyond rounding:

- Attention among the members of a packed row by FlashAttention's variable-length kernel (Dao, 2023,
  arXiv:2307.08691), instead of a mask over the whole row.
- Logits only where there is a label. The labels of a text-to-SQL row are its answer, a small part of
  its tokens, and the vocabulary of 151,936 entries is a fifth of Qwen3-1.7B. What a network does with its logits
  (a scale, a soft cap) it goes on doing.
- torch.compile for each decoder layer and for the cross entropy, on GPUs (`sqladder.training.compiled`): norms,
  rotary positions and gates are fused instead of read and written one by one.
- Adapters of small layers added to their weights (`sqladder.training.folded`).
- A residual stream in bfloat16 also where the weights are float32 for the optimizer.

Each batch of packed rows has one size, that of the most that any batch holds: the processor then never waits for
the GPU to tell a number, and a batch's whole computation can be launched at once (`sqladder.training.step_graph`).

Whether they leave an architecture's loss as it is, `sqladder.training.kernel_check` measures before each training.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, pad, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.modeling_outputs import CausalLMOutputWithPast

from sqladder.training.folded import fold_adapters
from sqladder.training.packing import PackedLimits
from sqladder.training.pairs import IGNORED

ATTENTION = "sqladder_packed"


class UnsupportedAttentionError(NotImplementedError):
    """A network asks of its attention what the packed kernel cannot do."""


def base_network(model: Any) -> Any:
    """The network itself, without the wrapper of its adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def fuse_step(model: Any, limits: PackedLimits | None) -> Callable[[], None]:
    """Replace the step of a model, with adapters or without, in place and uncompiled.

    Args:
        model: a causal language model of transformers.
        limits: of a batch of packed rows, whose members begin where position ids start anew; None
            where each row stands alone.

    Returns:
        What puts the plain step back.
    """
    network = base_network(model)
    plain, attention = network.forward, network.config._attn_implementation
    if limits:
        AttentionInterface.register(ATTENTION, attend_within_members)
        AttentionMaskInterface.register(ATTENTION, no_mask)
        network.config._attn_implementation = ATTENTION
        network.limits = limits
        network.packed_loss = partial(_packed_loss, network)
    unfold = fold_adapters(network)
    network.plain_forward = plain
    network.sum_of_losses = sum_of_losses
    network.fused_forward = MethodType(_forward_packed if limits else _forward_with_loss, network)
    network.forward = network.fused_forward

    def undo() -> None:
        unfold()
        network.forward = plain
        network.config._attn_implementation = attention

    return undo


def compute_in_bfloat16(model: Any) -> None:
    """Have a network with float32 weights compute in bfloat16 from its embeddings on."""
    base_network(model).get_input_embeddings().register_forward_hook(_to_bfloat16)


def _to_bfloat16(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
    return output.to(torch.bfloat16)


def no_mask(*args: Any, **kwargs: Any) -> None:
    """Stand where transformers makes a mask: the boundaries of members come by another way."""


def boundaries(position_ids: torch.Tensor, members: int) -> torch.Tensor:
    """Where each member of a batch begins, and at the end the number of tokens.

    Args:
        position_ids: (rows, length); 0 where a member begins, as each row does.
        members: the most that there can be; what is missing are members without tokens, at the end.

    Returns:
        int32, (members + 1,).
    """
    flat = position_ids.flatten()
    return places(flat == 0, members + 1, flat.numel()).to(torch.int32)


def places(mask: torch.Tensor, size: int, filling: int) -> torch.Tensor:
    """Where a mask is true, as `torch.nonzero` has it, in a known size: a GPU then keeps nobody waiting for the number.

    Args:
        mask: (n,), true at most `size` times.
        size: of the result.
        filling: what stands behind the last place.

    Returns:
        int64, (size,).
    """
    # What is not asked for goes into one more place, which is cut off.
    rank = torch.where(mask, mask.cumsum(0) - 1, size)
    found = torch.full((size + 1,), filling, dtype=torch.int64, device=mask.device)
    found.scatter_(0, rank, torch.arange(len(mask), device=mask.device))
    return found[:size]


def _forward_with_loss(
    self: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    num_items_in_batch: torch.Tensor | int | None = None,
    **_: Any,
) -> CausalLMOutputWithPast:
    """Stand for a network's forward in training: the loss, and no logits.

    The loss is the cross entropy of all labels over their number, or over `num_items_in_batch` where
    the Trainer accumulates several batches to one step.
    """
    learned = labels[:, 1:] != IGNORED
    with _casting_anew(), _head_sees(self, lambda hidden: hidden[:, :-1][learned]):
        logits = self.plain_forward(
            input_ids=input_ids, use_cache=False, attention_mask=attention_mask
        ).logits
        total = self.sum_of_losses(logits, labels[:, 1:][learned])
    count = learned.sum() if num_items_in_batch is None else num_items_in_batch
    return CausalLMOutputWithPast(loss=total / count)


def _forward_packed(
    self: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    position_ids: torch.Tensor,
    num_items_in_batch: torch.Tensor | int | None = None,
    **_: Any,
) -> CausalLMOutputWithPast:
    """Stand for a network's forward as `_forward_with_loss` does, on packed rows."""
    rows: tuple[torch.Tensor, ...] = (input_ids, labels, position_ids)
    if input_ids.is_cuda:
        rows = filled(rows, self.limits)
    with _casting_anew():
        total = self.packed_loss(*rows)
    count = num_items_in_batch
    if count is None:
        count = (labels[:, 1:] != IGNORED).sum()
    return CausalLMOutputWithPast(loss=total / count)


def _packed_loss(
    network: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    position_ids: torch.Tensor,
) -> torch.Tensor:
    """Sum of the cross entropies of a batch of packed rows, computed in one size whatever they hold.

    Args:
        network: with the fused step, and with limits that the batch keeps.
        input_ids: (rows, length).
        labels: as `input_ids`.
        position_ids: as `input_ids`; 0 where a member begins.
    """
    limits = network.limits
    # A token learns the next one; what follows a row's end is no label.
    wanted = pad(labels[:, 1:], (0, 1), value=IGNORED).flatten()
    learned = wanted != IGNORED
    where = places(learned, limits.labels, 0)
    is_label = torch.arange(limits.labels, device=labels.device) < learned.sum()
    with _head_sees(network, lambda hidden: hidden.flatten(0, 1)[where]):
        logits = network.plain_forward(
            input_ids=input_ids,
            use_cache=False,
            attention_mask=None,
            position_ids=position_ids,
            member_starts=boundaries(position_ids, limits.members),
            longest_member=limits.longest,
        ).logits
    return network.sum_of_losses(logits, torch.where(is_label, wanted[where], IGNORED))


def filled(rows: tuple[torch.Tensor, ...], limits: PackedLimits) -> tuple[torch.Tensor, ...]:
    """Fill the last batch of an epoch up with rows that teach nothing, so that it has the size of all others.

    Args:
        rows: token ids, labels and position ids, (rows, length) each.
        limits: that say how many rows a batch has.
    """
    missing, length = limits.rows - len(rows[0]), rows[0].shape[1]
    if missing <= 0:
        return rows
    positions = torch.arange(length, device=rows[0].device) % limits.longest
    filling = (torch.zeros_like(positions), torch.full_like(positions, IGNORED), positions)
    return tuple(
        torch.cat([row, fill.to(row.dtype).expand(missing, length)])
        for row, fill in zip(rows, filling, strict=True)
    )


def _casting_anew() -> AbstractContextManager[Any]:
    """Where weights are cast to a shorter format, cast them at each use, in all runs of compiled code alike.

    A weight that is cast once and kept would be kept by a graph of the step from before it was taken.
    """
    if not torch.is_autocast_enabled("cuda"):
        return nullcontext()
    return torch.autocast("cuda", torch.get_autocast_dtype("cuda"), cache_enabled=False)


@contextmanager
def _head_sees(network: Any, choose: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Have a network's last layer see only the tokens whose next one is learned, of all rows.

    Args:
        network: a causal language model of transformers.
        choose: makes (tokens, width) of (rows, length, width).
    """

    def chosen(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden, *others = inputs
        return (choose(hidden), *others)

    handle = network.get_output_embeddings().register_forward_pre_hook(chosen)
    try:
        yield
    finally:
        handle.remove()


def sum_of_losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the cross entropies of labelled tokens, in float32.

    Args:
        logits: (tokens, vocabulary).
        labels: (tokens,); a token without one counts nothing.
    """
    return cross_entropy(logits.float(), labels, reduction="sum", ignore_index=IGNORED)


def attend_within_members(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float | None,
    member_starts: torch.Tensor,
    longest_member: int,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in which each member of a packed row sees itself alone.

    Args:
        module: transformers' attention layer.
        query: (rows, heads, length, head size).
        key: (rows, key-value heads, length, head size).
        value: as `key`.
        attention_mask: unused, as in each of transformers' attention functions.
        scaling: factor of the scores; None for one over the root of the head size.
        member_starts: of `boundaries`.
        longest_member: an upper bound of the tokens of a member.
        sliding_window: tokens that a token sees, itself among them; None sees all before it.
        others: what the kernel has no way to do: a soft cap of the scores, sinks, dropout.

    Returns:
        (rows, length, heads, head size), and no weights.

    Raises:
        UnsupportedAttentionError: one of `others` is asked for.
    """
    for name in ("softcap", "s_aux", "dropout"):
        if others.get(name) is not None and others[name] != 0.0:
            raise UnsupportedAttentionError(f"its attention takes {name}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if query.is_cuda:
        window = longest_member if sliding_window is None else sliding_window
        return _varlen(query, key, value, scale, member_starts, longest_member, window), None
    rows, length = query.shape[0], query.shape[2]
    member = torch.bucketize(
        torch.arange(rows * length), member_starts[1:].long(), right=True
    ).reshape(rows, length)
    same = member[:, None, :, None] == member[:, None, None, :]
    near = torch.ones(length, length, dtype=torch.bool).tril()
    if sliding_window is not None:
        near = near.triu(1 - sliding_window)
    out = scaled_dot_product_attention(
        query, key, value, attn_mask=same & near, scale=scale, enable_gqa=True
    )
    return out.transpose(1, 2), None


def _varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float,
    starts: torch.Tensor,
    longest: int,
    window: int,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    rows, length = query.shape[0], query.shape[2]
    # The kernel takes 16-bit numbers, and all tokens of all rows one after another.
    q, k, v = [t.transpose(1, 2).flatten(0, 1).to(torch.bfloat16) for t in (query, key, value)]
    # torch 2.11 shares keys among heads unasked, later versions have to be told.
    shared: dict[str, Any] = {"enable_gqa": True} if "enable_gqa" in _varlen_options() else {}
    # A window as long as the longest member leaves all visible that came before.
    seen = (-1, 0) if window >= longest else (window - 1, 0)
    out = varlen_attn(
        *(q, k, v, starts, starts, longest, longest),
        scale=scaling,
        window_size=seen,
        **shared,
    )
    assert isinstance(out, torch.Tensor), "no second result was asked for"
    return out.unflatten(0, (rows, length)).to(query.dtype)


def _varlen_options() -> set[str]:
    from torch.nn.attention.varlen import varlen_attn

    return set(inspect.signature(varlen_attn).parameters)

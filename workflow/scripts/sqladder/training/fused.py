"""Faster computation of the same training step, for a Qwen3 network that is whole in one process.

Four changes, none of which alters what is computed beyond rounding:

- Attention among the members of a packed row by FlashAttention's variable-length kernel (Dao, 2023,
  arXiv:2307.08691), instead of a mask over the whole row.
- Logits only where there is a label. The labels of a text-to-SQL row are its answer, a small part of
  its tokens, and the vocabulary of 151,936 entries is a fifth of the network.
- torch.compile for each decoder layer and for the cross entropy, on GPUs: norms, rotary positions
  and gates are fused instead of read and written one by one.
- A residual stream in bfloat16 also where the weights are float32 for the optimizer.
"""

import inspect
from types import MethodType
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear, scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, TrainerCallback
from transformers.modeling_outputs import CausalLMOutputWithPast

from sqladder.training.pairs import IGNORED

ATTENTION = "sqladder_packed"
RECOMPILATIONS = 64


class FusedKernels(TrainerCallback):
    """Gives the model of a Hugging Face Trainer its fused kernels, before the Trainer wraps it.

    Args:
        longest_member: an upper bound of a member's tokens where rows hold several members, by
            position ids that start anew; None where each row stands alone.
    """

    def __init__(self, longest_member: int | None) -> None:
        self.longest_member = longest_member

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Change the model in place."""
        fuse(kwargs["model"], longest_member=self.longest_member, bf16=args.bf16)


def fuse(model: Any, *, longest_member: int | None, bf16: bool) -> None:
    """Give a Qwen3 model, with adapters or without, its fused kernels, in place."""
    network = model.get_base_model() if hasattr(model, "get_base_model") else model
    if longest_member:
        network.longest_member = longest_member
        AttentionInterface.register(ATTENTION, attend_within_members)
        AttentionMaskInterface.register(ATTENTION, no_mask)
        network.config._attn_implementation = ATTENTION
    if bf16:
        network.model.embed_tokens.register_forward_hook(_to_bfloat16)
    network.forward = MethodType(_forward_with_loss, network)
    network.sum_of_losses = sum_of_losses
    if torch.cuda.is_available():
        # One compilation for each shape, and no falling back to uncompiled code after a few.
        torch._dynamo.config.recompile_limit = RECOMPILATIONS
        for layer in network.model.layers:
            # The length of a packed row never changes: its shapes need not be symbols.
            layer.compile(dynamic=False if longest_member else None)
        network.sum_of_losses = torch.compile(sum_of_losses, dynamic=True)


def _to_bfloat16(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
    return output.to(torch.bfloat16)


def no_mask(*args: Any, **kwargs: Any) -> None:
    """Stand where transformers makes a mask: the boundaries of members come by another way."""


def boundaries(position_ids: torch.Tensor) -> torch.Tensor:
    """Where each member of a batch begins, and at the end the number of tokens.

    Args:
        position_ids: (rows, length); 0 where a member begins, as each row does.

    Returns:
        int32, at least one more than there are members. Members without tokens fill it up to a power
        of two, so that compiled code sees few different sizes.
    """
    flat = position_ids.flatten()
    starts = torch.nonzero(flat == 0).flatten()
    size = 1 << len(starts).bit_length()
    end = starts.new_full((size - len(starts),), flat.numel())
    return torch.cat([starts, end]).to(torch.int32)


def _forward_with_loss(
    self: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    position_ids: torch.Tensor | None = None,
    attention_mask: torch.Tensor | None = None,
    num_items_in_batch: torch.Tensor | int | None = None,
    **_: Any,
) -> CausalLMOutputWithPast:
    """Stand for Qwen3ForCausalLM.forward in training: the loss, and no logits.

    The loss is the cross entropy of all labels over their number, or over `num_items_in_batch` where
    the Trainer accumulates several batches to one step.
    """
    packed: dict[str, Any] = {}
    if self.config._attn_implementation == ATTENTION:
        assert position_ids is not None, "packed rows come with their positions"
        packed = {
            "member_starts": boundaries(position_ids),
            "longest_member": self.longest_member,
        }
        attention_mask = None
    hidden = self.model(
        input_ids=input_ids,
        attention_mask=attention_mask,
        position_ids=position_ids,
        use_cache=False,
        **packed,
    ).last_hidden_state
    learned = labels[:, 1:] != IGNORED
    total = self.sum_of_losses(hidden[:, :-1][learned], self.lm_head.weight, labels[:, 1:][learned])
    count = learned.sum() if num_items_in_batch is None else num_items_in_batch
    return CausalLMOutputWithPast(loss=total / count)


def sum_of_losses(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the cross entropies of labelled tokens, in float32.

    Args:
        hidden: (tokens, width) where a label is to be predicted.
        weight: (vocabulary, width).
        labels: (tokens,).
    """
    return cross_entropy(linear(hidden, weight).float(), labels, reduction="sum")


def attend_within_members(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    member_starts: torch.Tensor,
    longest_member: int,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in which each member of a packed row sees itself alone.

    Args:
        module: transformers' Qwen3Attention.
        query: (rows, heads, length, head size).
        key: (rows, key-value heads, length, head size).
        value: as `key`.
        attention_mask: unused, as in each of transformers' attention functions.
        scaling: factor of the scores.
        member_starts: of `boundaries`.
        longest_member: an upper bound of the tokens of a member.

    Returns:
        (rows, length, heads, head size), and no weights.
    """
    if query.is_cuda:
        return _varlen(query, key, value, scaling, member_starts, longest_member), None
    rows, length = query.shape[0], query.shape[2]
    member = torch.bucketize(
        torch.arange(rows * length), member_starts[1:].long(), right=True
    ).reshape(rows, length)
    same = member[:, None, :, None] == member[:, None, None, :]
    visible = same & torch.ones(length, length, dtype=torch.bool).tril()
    out = scaled_dot_product_attention(
        query, key, value, attn_mask=visible, scale=scaling, enable_gqa=True
    )
    return out.transpose(1, 2), None


def _varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float,
    starts: torch.Tensor,
    longest: int,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    rows, length = query.shape[0], query.shape[2]
    # The kernel takes 16-bit numbers, and all tokens of all rows one after another.
    q, k, v = (t.transpose(1, 2).flatten(0, 1).to(torch.bfloat16) for t in (query, key, value))
    # torch 2.11 shares keys among heads unasked, later versions have to be told.
    shared: dict[str, Any] = {"enable_gqa": True} if "enable_gqa" in _varlen_options() else {}
    out = varlen_attn(
        *(q, k, v, starts, starts, longest, longest),
        scale=scaling,
        window_size=(-1, 0),
        **shared,
    )
    assert isinstance(out, torch.Tensor), "no second result was asked for"
    return out.unflatten(0, (rows, length))


def _varlen_options() -> set[str]:
    from torch.nn.attention.varlen import varlen_attn

    return set(inspect.signature(varlen_attn).parameters)

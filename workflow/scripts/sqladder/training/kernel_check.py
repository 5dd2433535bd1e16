"""Whether fused kernels compute what a network computes by itself: measured on rows of the training, before it starts.

The truth is each row, and each member of a packed row, computed alone by the network's own code in float32. What
differs from it by more than rounding is another loss, and is not trained with.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from transformers import TrainerCallback

from sqladder.errors import LOG, InputError
from sqladder.training.compiled import compile_checked
from sqladder.training.fused import (
    UnsupportedAttentionError,
    base_network,
    compute_in_bfloat16,
    fuse_step,
    sum_of_losses,
)
from sqladder.training.packing import PackedLimits, TokenRow
from sqladder.training.pairs import IGNORED
from sqladder.training.step_comparison import (
    ROUNDING,
    ROUNDING_BFLOAT16,
    Gradients,
    Step,
    difference,
    without_zeros,
)
from sqladder.training.step_graph import StepGraph, graph_steps
from sqladder.training.walks import walk_once

Batch = Mapping[str, torch.Tensor]


class CheckedKernels(TrainerCallback):
    """Puts fused kernels where they fit into the model of a Hugging Face Trainer, before the Trainer wraps it.

    Args:
        rows: of the training, as many as one micro-step takes.
        limits: of a batch of packed rows, None where each row stands alone.

    Attributes:
        reason: why plain kernels are used, None where fused ones are.
        not_compiled: why fused ones are not compiled, None where they are or nothing compiles.
        graph: what launches a batch's kernels at once, None where nothing does.
    """

    def __init__(self, rows: Sequence[TokenRow], limits: PackedLimits | None) -> None:
        self._rows, self._limits = rows, limits
        self.reason: str | None = None
        self.not_compiled: str | None = None
        self.graph: StepGraph | None = None

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Change the model in place.

        Raises:
            InputError: rows are packed, and neither way computes their members apart.
        """
        model = kwargs["model"].to(args.device)
        self.reason = self._fit(model)
        if self.reason is not None:
            LOG.info(f"kernels: plain instead of fused ones: {self.reason}")
        elif args.bf16:
            compute_in_bfloat16(model)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Compile the fused step on a GPU: now, when memory that runs out means fewer rows at once."""
        model, is_packed = kwargs["model"], self._limits is not None
        if self.reason is not None:
            return
        self._walk_again = walk_once(model)
        if not torch.cuda.is_available():
            return
        batch = _batch(self._rows, next(model.parameters()).device)
        self.not_compiled = compile_checked(model, batch, is_packed=is_packed, bf16=args.bf16)
        if self.not_compiled:
            LOG.info(f"kernels: launched as they are, not compiled: {self.not_compiled}")
        if is_packed:
            self.graph = graph_steps(model, accumulates=args.gradient_accumulation_steps > 1)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave what the model remembers of itself."""
        if self.reason is None:
            self._walk_again()

    def _fit(self, model: Any) -> str | None:
        rows = list(self._rows)
        while True:
            try:
                return fuse_checked(model, rows, self._limits)
            except torch.OutOfMemoryError:
                # In float32 the check can take more memory than the training itself.
                if len(rows) == 1:
                    raise
                rows = rows[: len(rows) // 2]
            # Outside, where the error holds no more tensors.
            model.zero_grad()
            torch.cuda.empty_cache()


def kernel_facts(kernels: CheckedKernels | None) -> dict[str, Any]:
    """Which kernels a training used, why not the fused ones where those were asked for, and how they were launched."""
    reason = None if kernels is None else kernels.reason
    graph = kernels.graph if kernels else None
    return {
        "kernels": "fused" if kernels and not reason else "plain",
        "why_plain_kernels": reason,
        "why_not_compiled": kernels.not_compiled if kernels else None,
        "cuda_graph": graph is not None and graph.reason is None,
        "why_no_cuda_graph": graph.reason if graph else None,
    }


def fuse_checked(model: Any, rows: Sequence[TokenRow], limits: PackedLimits | None) -> str | None:
    """Replace a model's step by the fused one if that computes the same.

    Returns:
        None where the model has the fused step, else why it has the plain one.

    Raises:
        InputError: rows are packed, and the network's own code does not keep their members apart.
    """
    batch = _batch(rows, next(model.parameters()).device)
    is_exact = limits is None or not torch.cuda.is_available()
    with _comparable(model), without_zeros(model):
        truth = _alone(model, rows)
        # A short batch would be filled up to the size of all others, and take their memory.
        undo = fuse_step(model, limits and limits._replace(rows=len(rows)))
        try:
            reason = _difference(model, batch, truth, is_exact=is_exact)
        except torch.OutOfMemoryError:
            undo()
            raise
        if reason is None:
            base_network(model).limits = limits
            return None
        undo()
        if limits is None:
            return reason
        network = base_network(model)
        network.forward = MethodType(_forward_packed, network)
        other = _difference(model, batch, truth, is_exact=True)
    if other is not None:
        raise InputError(
            f"packing_length: rows of this base model cannot be packed: with fused kernels {reason}, with "
            f"plain ones {other}; set it to 0"
        )
    return reason


def _forward_packed(
    self: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    position_ids: torch.Tensor,
    num_items_in_batch: torch.Tensor | int | None = None,
    **_: Any,
) -> Any:
    """A network's own step on packed rows: where there is no mask, transformers parts them by position."""
    total = {} if num_items_in_batch is None else {"num_items_in_batch": num_items_in_batch}
    return self.plain_forward(
        input_ids=input_ids, labels=labels, position_ids=position_ids, use_cache=False, **total
    )


def _batch(rows: Sequence[TokenRow], device: torch.device) -> Batch:
    width = max(len(row["input_ids"]) for row in rows)
    # Any token can fill rows up: it is masked.
    fill = {"input_ids": 0, "labels": IGNORED, "attention_mask": 0, "position_ids": 0}
    return {
        name: torch.tensor(
            [row[name] + [fill[name]] * (width - len(row[name])) for row in rows], device=device
        )
        for name in rows[0]
    }


def _alone(model: Any, rows: Sequence[TokenRow]) -> Step:
    """The step with each member of each row computed by itself."""
    members = [member for row in rows for member in _members(row)]
    count = sum(label != IGNORED for _, labels in members for label in labels[1:])
    device = next(model.parameters()).device
    loss = 0.0
    for ids, labels in members:
        logits = model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits
        wanted = torch.tensor(labels[1:], device=device)
        learned = wanted != IGNORED
        part = sum_of_losses(logits[0, :-1][learned], wanted[learned]) / count
        part.backward()
        loss += part.item()
    return Step(loss, _taken_gradients(model))


def _members(row: TokenRow) -> Iterator[tuple[list[int], list[int]]]:
    """Token ids and labels of each member of a row that has something to learn."""
    positions = row.get("position_ids", range(len(row["input_ids"])))
    starts = [place for place, position in enumerate(positions) if position == 0]
    for start, end in zip(starts, [*starts[1:], len(row["input_ids"])], strict=True):
        labels = row["labels"][start:end]
        if any(label != IGNORED for label in labels[1:]):
            yield row["input_ids"][start:end], labels


def _difference(model: Any, batch: Batch, truth: Step, *, is_exact: bool) -> str | None:
    """How the model's step on a batch parts from the truth; None where it does not."""
    try:
        loss = model(**batch).loss
        loss.backward()
    except torch.OutOfMemoryError:
        raise
    except (
        UnsupportedAttentionError,
        AttributeError,
        IndexError,
        TypeError,
        RuntimeError,
    ) as error:
        _taken_gradients(model)
        return f"they do not fit this architecture ({str(error).splitlines()[0]})"
    found = Step(loss.item(), _taken_gradients(model))
    return difference(found, truth, ROUNDING if is_exact else ROUNDING_BFLOAT16)


def _taken_gradients(model: Any) -> Gradients:
    """Gradients by parameter, taken off the model."""
    taken = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            taken[name] = parameter.grad
            parameter.grad = None
    return taken


@contextmanager
def _comparable(model: Any) -> Iterator[None]:
    """Have a model compute in float32 and without dropout, and let everything be as it was after."""
    shortened = [
        (tensor, tensor.dtype)
        for tensor in (*model.parameters(), *model.buffers())
        # Weights of 4 bits lie in a tensor of another format, several to a number.
        if tensor.dtype in (torch.bfloat16, torch.float16) and not hasattr(tensor, "quant_state")
    ]
    # Layers of bitsandbytes, which unpack such weights; in evaluation they lay them out anew, for good, on some CPUs.
    unpacking = [
        (layer, layer.compute_dtype) for layer in model.modules() if hasattr(layer, "compute_dtype")
    ]
    was_training = model.training
    model.eval()
    for tensor, _ in shortened:
        tensor.data = tensor.data.float()
    for layer, _ in unpacking:
        layer.compute_dtype = torch.float32
        layer.train()
    try:
        yield
    finally:
        for tensor, dtype in shortened:
            tensor.data = tensor.data.to(dtype)
        for layer, dtype in unpacking:
            layer.compute_dtype = dtype
        model.train(was_training)

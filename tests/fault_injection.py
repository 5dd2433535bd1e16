"""Faults of a machine for the tests of training: a memory that is too small, without a hook in the product."""

import os

import psutil

# Python runs this before the program. Only training's own processes are changed, not torchrun's.
SITE = """
import os, sys
words = sys.orig_argv
if any(word.endswith("train_worker.py") for word in words) and "torch.distributed.run" not in words:
    import torch

    forward, calls = torch.nn.Embedding.forward, []

    def crowded(self, ids):
        calls.append(len(ids))
        is_here = os.environ.get("RANK", "0") == "{rank}"
        if is_here and len(ids) > {rows} and len(calls) > {after}:
            raise {error}
        return forward(self, ids)

    torch.nn.Embedding.forward = crowded
"""
TORCH_ERROR = 'torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")'
CUBLAS_ERROR = (
    'RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")'
)


def small_memory(folder, rows, rank=0, after=0, error=TORCH_ERROR):
    """Environment in which a process of a training has memory for some rows at a time only.

    Args:
        folder: where Python finds the fault.
        rows: as many at a time fit.
        rank: of the process.
        after: so many micro-batches fit in any case.
        error: expression of what PyTorch raises.
    """
    folder.mkdir()
    text = SITE.format(rows=rows, rank=rank, after=after, error=error)
    (folder / "sitecustomize.py").write_text(text)
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def workers_of(work_folder):
    """Living processes that train in a work folder, by their command line: torchrun's are among them."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if (
            process.info["status"] != psutil.STATUS_ZOMBIE
            and str(work_folder / "job.json") in words
        ):
            found.append(process)
    return found

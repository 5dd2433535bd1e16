"""Faults of a machine, by the words in which PyTorch and its libraries report them."""

import errno
from collections.abc import Iterator

# Each is what one library says when it cannot get memory: PyTorch's allocators, the CUDA runtime
# and cuBLAS, cuDNN and NCCL through PyTorch.
_OUT_OF_MEMORY = (
    "out of memory",
    "DefaultCPUAllocator: can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUSOLVER_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
    "Failed to CUDA calloc",
)
_DISK_FULL = ("No space left on device", "Disk quota exceeded")
# PyTorch's archive writer drops the reason why a write failed.
_WRITE_FAILED = ("inline_container.cc", "PytorchStreamWriter failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, that of a GPU or of the machine."""
    return any(
        isinstance(link, MemoryError) or _says(link, _OUT_OF_MEMORY)
        for link in _chain(error)
        if isinstance(link, (MemoryError, RuntimeError))
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that a disk, or the user's share of it, is full."""
    return any(
        getattr(link, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or _says(link, _DISK_FULL)
        for link in _chain(error)
    )


def is_failed_write(error: BaseException) -> bool:
    """Whether an error says that PyTorch could not write a file, for a reason that it hides."""
    return any(_says(link, _WRITE_FAILED) for link in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that it was raised from or during."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return any(word in str(error) for word in words)

"""The device that a model runs on here, and what it took of it."""

import resource

import torch


def device_name() -> str:
    """The device that training and generation use here."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def number_format() -> str:
    """The floating-point format that models generate in here, as torch, transformers and vLLM call it."""
    return "bfloat16" if torch.cuda.is_available() else "float32"


def peak_memory_mb() -> float:
    """Peak memory so far: the GPU's where there is one, else the resident set of this process."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return resident_memory_mb()


def resident_memory_mb() -> float:
    """Peak of the resident set of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)

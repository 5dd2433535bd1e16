"""Let megatron-core run on CPU: it asks for devices named "cuda" in places where it need not.

Python imports this module at its start where the folder is on PYTHONPATH.
"""

import importlib.util

if importlib.util.find_spec("torch"):  # not so in the interpreters that only look at themselves
    import torch
    from torch.overrides import TorchFunctionMode

    class OnCpu(TorchFunctionMode):
        """A tensor of the CPU wherever one of a GPU is asked for."""

        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = dict(kwargs or {})
            if "cuda" in str(kwargs.get("device")):
                kwargs["device"] = "cpu"
            if function is torch.Tensor.cuda:
                return args[0]
            # megatron-core compares a gradient's type with that of a GPU.
            if function is torch.Tensor.type and len(args) == 1 and not kwargs:
                return function(*args).replace("torch.", "torch.cuda.")
            result = function(*args, **kwargs)
            # Its loss works in place on a 32-bit copy of 16-bit logits; of 32 bits it is no copy.
            return result.clone() if function is torch.Tensor.float else result

    OnCpu().__enter__()

    torch_load = torch.load
    # Processes are numbered "cpu:0", "cpu:1", which a saved tensor cannot be loaded to.
    torch.load = lambda *a, **k: torch_load(*a, **{**k, "map_location": "cpu"})
    torch.cuda.device_count = lambda: 2
    torch.cuda.current_device = lambda: torch.device("cpu")
    torch.cuda.synchronize = lambda *a, **k: None
    torch.cuda.manual_seed = torch.manual_seed
    for module in (torch.cuda, torch.cuda.random, torch.cpu):
        module.get_rng_state = lambda *a, **k: torch.get_rng_state()
    torch.cpu.set_rng_state = torch.set_rng_state

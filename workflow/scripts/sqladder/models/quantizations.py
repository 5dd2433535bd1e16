"""What a model's numbers can become: the names alone, which a config needs and no package."""

from typing import Literal

Quantization = Literal["q4_k_m", "q8_0", "int8", "nf4"]
GGUF_KINDS = ("q4_k_m", "q8_0")
"""Those that are one GGUF file, which llama.cpp answers with; bitsandbytes makes the others."""

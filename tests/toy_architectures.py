"""Random networks of many architectures, made from their configuration classes."""

import torch
import transformers

VOCABULARY = 400
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "initializer_range": 0.2,
}
# Architecture -> what is its own. Small windows are shorter than the rows, so that they count.
ARCHITECTURES = {
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "llama": {},
    "smollm3": {},
    "mistral": {"sliding_window": 20},
    "gemma2": {"head_dim": 8, "sliding_window": 20, "attn_logit_softcapping": 5.0},
    "gemma3_text": {"head_dim": 8, "sliding_window": 20},
    "granite": {"logits_scaling": 4.0, "residual_multiplier": 0.5, "embedding_multiplier": 3.0},
    "phi3": {},
    "olmo2": {},
    "cohere": {"logit_scale": 0.25},
}
# The cap of Gemma 2's scores is no part of the kernel for packed rows.
PLAIN_WHERE_PACKED = {"gemma2"}


def network(architecture):
    """An untrained network that computes as in evaluation."""
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        architecture, **{**SMALL, **ARCHITECTURES[architecture]}
    )
    return transformers.AutoModelForCausalLM.from_config(config).eval()

"""A reranker small enough to make in a test: Qwen3's architecture over the words of a model card."""

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

TASK = "Given a question, find questions of the same shape"
TOPICS = ["singer", "stadium", "flight", "pet"]

# Typed from the model card of Qwen/Qwen3-Reranker-0.6B, "Transformers Usage".
CARD_PROMPT = (
    "<|im_start|>system\n"
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".<|im_end|>\n'
    "<|im_start|>user\n"
    "<Instruct>: {task}\n<Query>: {query}\n<Document>: {document}<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n"
)


def question(topic, verb="Count"):
    return f"{verb} each {topic} here"


def tiny_model(folder, answers=("yes", "no")):
    """Save a two-layer Qwen3 with random weights and a vocabulary of the words of this test."""
    texts = [CARD_PROMPT, TASK, *map(question, TOPICS), "List", *answers]
    split = pre_tokenizers.Sequence([pre_tokenizers.Whitespace()])
    words = [word for text in texts for word, _ in split.pre_tokenize_str(text)]
    vocabulary = {word: n for n, word in enumerate(dict.fromkeys(["<pad>", "<unk>", *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = split
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=16,
        tie_word_embeddings=False,
        # Small initial weights leave this comparison unlearnt for hundreds of steps.
        initializer_range=0.2,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    return folder

"""Few-shot examples for a prompt: chosen at random, by words, by embeddings, by embeddings and a reranker."""

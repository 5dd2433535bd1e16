"""Few-shot examples for a prompt: chosen at random, by words, by embeddings, by embeddings and a reranker.

In come the examples of a pool and the questions that are asked;
out go, for each question, the examples that its prompt shows.
"""

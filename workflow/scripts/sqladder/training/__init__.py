"""Fine-tuning of one variant: its settings, its checkpoints, and the run through LLaMA-Factory.

In come a base model and prompts with answers;
out go a model folder and train.json, what the training took and how its loss fell.
"""

"""Fine-tuning of one variant: its settings, its checkpoints, and the run through LLaMA-Factory."""

"""The embedded demonstration: its databases, its questions, and how they are split."""

"""Learning by reward: a model draws answers to training questions, and is trained by what they give when executed.

In come a trained model, training questions and their databases; out go a model folder and train.json with the curves.
"""

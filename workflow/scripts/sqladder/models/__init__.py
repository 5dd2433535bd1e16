"""What a model is: its turns, weights, folder, and the device that it runs on.

In comes a Hugging Face folder;
out go its end of turn, its checked weights, copies of the folder that are whole or not there.
"""

"""What a process may hold and when it ends: lifetime, guarded work, leases of GPUs, the lock of a run.

In come a process and what it wants to hold;
out goes the hold itself, which ends with its holder, or an error that names who has it.
"""

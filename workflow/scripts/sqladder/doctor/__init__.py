"""What this machine can run of SQLadder, what it cannot, and what mends it."""

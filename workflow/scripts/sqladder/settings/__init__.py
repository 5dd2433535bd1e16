"""What every declaration of settings shares: strict values, one wording of what is wrong, and flags.

A package declares its settings as pydantic models of `base`; `problems` says what is wrong with given values, and
`flags` turns the same models into the flags of programs and back.
"""

"""What counts of right answers allow to be claimed: intervals, paired tests, ranks, power, seeds.

In come marks of the same questions, right or wrong, for each variant and seed; out go intervals, p-values and ranks.
"""

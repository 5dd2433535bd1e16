"""How small a difference a test can still find."""

from scipy import special


def detectable_difference(
    n: int, discordant_share: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Smallest true difference of two accuracies that a McNemar test finds with this power.

    None when even a difference as large as the discordant share would be missed.

    Source: R. J. Connor (1987), "Sample size for testing differences in proportions for the
    paired-sample design", Biometrics 43, 207-211, solved for the difference d:
    d sqrt(n) = z(1 - alpha/2) sqrt(s) + z(power) sqrt(s - d^2), with s the discordant share.
    """
    share = discordant_share
    z_alpha, z_power = special.ndtri(1 - alpha / 2), special.ndtri(power)
    if n * share < z_alpha**2:
        return None
    reach = z_alpha * n**0.5 + z_power * (n + z_power**2 - z_alpha**2) ** 0.5
    return float(share**0.5 * reach / (n + z_power**2))

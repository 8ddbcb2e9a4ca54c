"""Chance that depends on nothing but its name.

Every random number of the sandbox is a hash of what it is for (seed, entity, day), so two calls in any
order, in any process, after any restart, see the same world.
"""

import hashlib
import math
import struct
from statistics import NormalDist

_STANDARD = NormalDist()
_UNPACK = struct.Struct("8I").unpack
_SCALE = 2.0**-32


def uniforms(*key):
    """Eight numbers in (0, 1) belonging to this key."""
    digest = hashlib.blake2b(":".join(map(str, key)).encode(), digest_size=32).digest()
    return tuple((word + 0.5) * _SCALE for word in _UNPACK(digest))


def uniform(*key):
    """One number in (0, 1) belonging to this key."""
    return uniforms(*key)[0]


def normal(u):
    """The standard normal quantile of a uniform number."""
    return _STANDARD.inv_cdf(u)


def lognormal(u, sigma):
    """A factor with mean 1 and the given spread in log space."""
    return math.exp(sigma * _STANDARD.inv_cdf(u) - sigma * sigma / 2)


def poisson(mean, u):
    """The Poisson quantile: the count grows with the mean for a fixed u, so a day only ever fills up."""
    if mean <= 0:
        return 0
    if mean > 40:
        return max(0, round(mean + math.sqrt(mean) * _STANDARD.inv_cdf(u)))
    term = total = math.exp(-mean)
    count = 0
    while total < u and count < 200:
        count += 1
        term *= mean / count
        total += term
    return count


def between(u, low, high):
    """Map a uniform number to the interval."""
    return low + (high - low) * u


def choice(u, options):
    """Pick one option with a uniform number."""
    return options[min(int(u * len(options)), len(options) - 1)]


def digits(length, *key):
    """A decimal string of this length, a stable name for the key."""
    number = int.from_bytes(hashlib.blake2b(":".join(map(str, key)).encode(), digest_size=16).digest(), "big")
    return str(number % 10**length).zfill(length)

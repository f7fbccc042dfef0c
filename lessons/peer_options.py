"""The option that every program in Python has, as its lesson has it."""

import argparse
import contextlib
import math


def parser(description):
    """One that knows --speed; a lesson may add options of its own."""
    of_all = argparse.ArgumentParser(description=description)
    of_all.add_argument(
        "--speed",
        type=above_zero,
        default=1.0,
        help="divide every pause by this",
    )
    return of_all


def above_zero(text):
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError("give a number above 0")

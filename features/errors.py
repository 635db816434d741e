"""What can go wrong, as types.

ClicksiftError
├── InputError      a file, row, column or option of the user's; the message names it and the next step
└── ModelError      a model directory that is damaged, foreign or of another feature catalogue
"""


class ClicksiftError(Exception):
    """Anything clicksift refuses to do; the command line prints the message alone and exits with 2."""


class InputError(ClicksiftError):
    """The input is not what was expected: says where, what was found, and what to do next."""


class ModelError(ClicksiftError):
    """The model cannot be used: says which file, why, and what to do next."""

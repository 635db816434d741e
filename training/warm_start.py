"""New trees behind those of an earlier booster: what a training that begins with a model ends with.

LightGBM's own continuation shows the old trees the rows that the new ones are grown on. Here the old see every feature
as it is, while the new may be grown without some.
"""

from __future__ import annotations

import re

from serving.booster import split_text

_SIZES = re.compile("^tree_sizes=.*$", re.MULTILINE)
_END = "end of trees\n"


def joined(first: str, second: str) -> str:
    """The text of a booster whose raw score is the sum of both; all else in it is that of `second`.

    `second` has the features of `first`, and maybe more behind them. Raises ValueError or KeyError for what is no model
    text.
    """
    bodies = [tree.split("\n", 1)[1] for text in (first, second) for tree in split_text(text)[0]]
    trees = [f"Tree={number}\n{body}" for number, body in enumerate(bodies)]
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    header = second.partition("\n\n")[0]
    end = second[second.index(_END) :]
    return f"{_SIZES.sub(f'tree_sizes={sizes}', header)}\n\n{''.join(trees)}{end}"

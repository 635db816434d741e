"""The ordered list of features: the model's columns, the query's columns and the documentation's rows."""

from __future__ import annotations

import hashlib

from features import clicks, network, population, timing, useragent
from features.feature import CAPABILITIES, Feature
from features.query import stages

FEATURES: tuple[Feature, ...] = (
    *timing.FEATURES,
    *network.FEATURES,
    *useragent.FEATURES,
    *clicks.FEATURES,
    *population.FEATURES,
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
# Codes have no order; the model may only ask whether a value is in a set of them.
CATEGORICAL: tuple[str, ...] = tuple(feature.name for feature in FEATURES if feature.unit == "code")


def fingerprint() -> str:
    """What the features are, in 16 hexadecimal digits: changes when a name, an order or any SQL changes."""
    digest = hashlib.sha256()
    for stage in stages(FEATURES, frozenset(CAPABILITIES)):
        digest.update(f"{stage.name}\n{' '.join(stage.sql.split())}\n".encode())
    return digest.hexdigest()[:16]


def markdown() -> str:
    """The documentation page of the features, made from their declarations."""
    lines = [
        "# Features",
        "",
        "This page is generated from the declarations in `features/`; `make docs` writes it again.",
        "",
        f"{len(FEATURES)} features. Every value looks at most 7 days back and 1 hour ahead in its message, or at the"
        " trailing UTC hours of a group. NULL means not known, never zero.",
    ]
    group = ""
    for feature in FEATURES:
        if feature.group != group:
            group = feature.group
            lines += [
                "",
                f"## {group.capitalize()}",
                "",
                "| feature | unit | meaning | window | needs |",
                "|---|---|---|---|---|",
            ]
        needs = ", ".join(sorted(feature.needs)) or "—"
        lines.append(f"| `{feature.name}` | {feature.unit} | {feature.description} | {feature.window} | {needs} |")
    return "\n".join(lines) + "\n"

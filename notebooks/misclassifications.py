# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Where is the model wrong?
#
# Labelled events, judged by the bundled model: which kinds of people are lost, which machines are missed, and what
# the features of a lost click look like beside those of its kind. The sender is simulated; with a labelled campaign of
# your own, read that instead.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import connect
from serving.model import bundled
from training.bundled import load
from training.dataset import labelled
from training.evaluate import by_slice, cuts, evaluate
from training.simulation import simulate
from training.world import PROFILES

folder = Path(tempfile.mkdtemp())
simulate(seed=11, messages=8_000, profile=PROFILES["hard"]).write(folder)
con = connect()
read = load(con, folder)
data = labelled(con, read.capabilities)
model = bundled()
probability = model.probability(data.X)

# %%
thresholds = {kind: model.thresholds_for(kind) for kind in ("opened", "clicked", "unsubscribed")}
figures = evaluate(data, probability, thresholds)
pd.DataFrame(
    [
        {"events": kind, "human": f.human, "automated": f.automated, "loss": str(f.loss), "recall": str(f.recall)}
        for kind, f in figures.items()
    ]
)

# %% [markdown]
# By who truly made the event. People called automated are the costliest mistakes; they come first.

# %%
slices = pd.DataFrame(by_slice(data, probability, thresholds, data.slice))
people = slices[slices["truly_automated"] == 0].sort_values("called_automated", ascending=False)
machines = slices[slices["truly_automated"] == 1].sort_values("called_human", ascending=False)
people.head(8)

# %%
machines.head(8)

# %%
figure, axes = plt.subplots(figsize=(9, 5))
for name, part, colour in (("people", people, "tab:blue"), ("machines", machines, "tab:orange")):
    axes.scatter(part["events"], part["mean_probability"], label=name, color=colour)
axes.axhline(thresholds["clicked"].automated, color="0.6", linewidth=1)
axes.set(xscale="log", xlabel="events of the kind", ylabel="mean probability of being automated")
axes.set_title("Each kind of person and machine; the line is where clicks are called automated", loc="left")
_ = axes.legend()

# %% [markdown]
# What pushed the lost clicks over the line: the features with the largest contributions, on average.

# %%
automated_at, _ = cuts(data.kind, thresholds)
lost = np.flatnonzero((data.y == 0) & (probability >= automated_at))
contributions = model.booster.contributions(data.X[lost])[:, :-1] if len(lost) else np.zeros((1, len(FEATURE_NAMES)))
pd.Series(contributions.mean(axis=0), index=FEATURE_NAMES).nlargest(10).to_frame("mean contribution to the margin")

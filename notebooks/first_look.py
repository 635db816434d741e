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
# # First look: from events to figures
#
# A sender's events go in; out comes who opened and clicked. Here the sender is simulated, so that the truth is known;
# put your own file in place of `events`, and leave the labels out.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import clicksift
from training.simulation import simulate

folder = Path(tempfile.mkdtemp())
simulate(seed=7, messages=8_000).write(folder)
events, campaigns, scored_file = folder / "events.parquet", folder / "campaigns.parquet", folder / "scored.parquet"

# %% [markdown]
# The same as `clicksift score events.parquet --campaigns campaigns.parquet --output scored.parquet`:

# %%
clicksift.score([events], output=scored_file, campaigns=campaigns, key_file=folder / "recipient.key")

# %% [markdown]
# The scored file has one row an event, with the probability that a machine made it, a verdict, and who it was.

# %%
scored = pd.read_parquet(scored_file)
judged = scored[scored["verdict"].notna()]
judged[["event_type", "timestamp", "probability", "verdict", "actor", "vendor"]].head()

# %%
pd.crosstab(judged["event_type"], judged["verdict"], margins=True)

# %% [markdown]
# When they come: machines in the first minutes after delivery, people over hours. No single limit in time parts them.

# %%
clicks = judged[judged["event_type"] == "clicked"]
since = (clicks["timestamp"] - clicks["delivered_at"].fillna(clicks["sent_at"])).dt.total_seconds().clip(lower=0.1)
bins = np.geomspace(0.1, 7 * 86_400, 60)
figure, axes = plt.subplots(figsize=(9, 4))
for verdict, colour in (("automated", "tab:orange"), ("human", "tab:blue"), ("unsure", "tab:grey")):
    axes.hist(since[clicks["verdict"] == verdict], bins=bins, alpha=0.7, label=verdict, color=colour)
axes.set(xscale="log", xlabel="seconds after delivery", ylabel="clicks", title="Clicks by time after delivery")
axes.set_xticks([1, 10, 60, 600, 3_600, 86_400], ["1 s", "10 s", "1 min", "10 min", "1 h", "1 day"])
_ = axes.legend()

# %% [markdown]
# Which recipient domains scan: the share of clicks that machines made, for the domains with most clicks.

# %%
by_domain = clicks.groupby("recipient_domain")["verdict"].agg(
    clicks="size", automated=lambda verdicts: (verdicts == "automated").mean()
)
by_domain.sort_values("clicks", ascending=False).head(10).style.format({"automated": "{:.0%}"})

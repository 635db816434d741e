# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # First look: from events to figures
#
# A sender's events go in; out comes who opened and clicked. Without files of yours a sender is simulated. To look at
# your own, set `CLICKSIFT_EVENTS` and `CLICKSIFT_CAMPAIGNS` before you start, or write the names into the next cell:
# `files = explore.Files(["export/"], campaigns="campaigns.csv")`.

# %%
# %matplotlib inline
import pandas as pd

from serving.campaigns import campaign_figures, machine_shares
from training import explore
from training.explore_plots import arrival_plot, campaign_plot, scanning_plot

# %%
files = explore.own_files() or explore.simulated(seed=3, messages=8_000, kind="hard")

# %%
judged = explore.judge(files)

# %% [markdown]
# One row an event, with the probability that a machine made it, a verdict, who it was and why. Look at the reasons
# first: do they name a network, a program, a burst?

# %%
judged.events[["event_type", "network", "agent", "after_s", "probability", "verdict", "vendor", "reasons"]].head(8)

# %% [markdown]
# How many of each type are called what. Many unsure events mean that the file says little of its clients.

# %%
pd.crosstab(judged.events["event_type"], judged.events["verdict"], margins=True)

# %% [markdown]
# When they come. Machines come at delivery, people over hours; look for the second hill of machines, which is Apple's
# prefetch. No single limit in time parts the two.

# %%
arrival_plot(judged)

# %% [markdown]
# What that does to the campaigns: the distance between the dots is what machines added. The interval is as wide as
# the model's errors on senders that it had not seen.

# %%
figures = campaign_figures(judged.con, judged.scored.people).to_pandas()
campaign_plot(figures)

# %%
figures.set_index("campaign_id")[["messages", "opens", "human_opens", "apple_opens", "clicks", "human_clicks"]].round(1)

# %% [markdown]
# Who the machines were: the first rows are whom to talk to.

# %%
machine_shares(judged.con).to_pandas().head(12)

# %% [markdown]
# And whose mail they open. A domain that is nearly all orange has a gateway; one with both has people behind it.

# %%
scanning_plot(judged)

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
# # Where is the model wrong?
#
# Labelled events beside what the bundled model says of them. Without files of yours a sender that is hard to judge is
# simulated. To look at your own, set `CLICKSIFT_EVENTS`, `CLICKSIFT_CAMPAIGNS` and `CLICKSIFT_LABELS`, or write the
# names into the next cell: `files = explore.Files(["export/"], campaigns="campaigns.csv",
# labels=["labels.parquet"])`. A model of your own goes in as `explore.open_labelled(files,
# BotClickModel.load("model"))`.

# %%
# %matplotlib inline
import pandas as pd

from training import explore
from training import explore_error_plots as plots
from training import explore_errors as errors

# %%
files = explore.own_files() or explore.simulated(seed=3, messages=8_000, kind="hard")

# %%
opened = explore.open_labelled(files)
print(len(opened), "labelled events, judged by model", opened.model.version, *opened.notes, sep="\n")

# %% [markdown]
# ## How often
#
# People lost are the costliest mistakes; they should be few in every row.

# %%
errors.confusion(opened)

# %% [markdown]
# Where it is worse than elsewhere. Look for slices whose whole interval is far to the right, and for those that are
# large.

# %%
slices = errors.slices(opened)
plots.slice_plot(slices)

# %%
slices[slices["worse"] != ""][["dimension", "slice", "human", "automated", "loss", "recall", "unsure", "worse"]]

# %% [markdown]
# ## The costliest
#
# `cost` is how much of a person the campaign's unique figures lose or gain by the message.

# %%
cases = pd.concat([errors.costliest(opened, explore.LOST), errors.costliest(opened, explore.MISSED)])
cases.drop(columns="message")

# %% [markdown]
# Their whole messages. Look at what else came: a scanner beside the person, a burst, a person's second device.

# %%
plots.timeline_plot(opened, cases)

# %% [markdown]
# What pushed each of them, reason by reason, and in words. One long bar the wrong way is a sign that the model trusts
# too much; many short ones are an event that looks like the other kind.

# %%
plots.contribution_plot(opened, cases)

# %%
errors.words(opened, cases.index).to_frame().style.set_properties(**{"white-space": "normal"})

# %% [markdown]
# ## What is like them
#
# The labelled events that the model sees most like the first case. If their labels are of the other kind, the model
# has nothing to tell them apart by; if the distance is large, it has met too few of its kind.

# %%
errors.neighbours(opened, cases.index[0]) if len(cases) else "no mistake"

# %% [markdown]
# ## What if the file said less
#
# Each group of features off in turn. A case that is right without a group was misled by that group.

# %%
what_if = errors.what_if(opened)
plots.what_if_plot(what_if, errors.what_if_of(opened, cases.index), opened)

# %% [markdown]
# ## Kinds of mistakes
#
# Mistakes that the same reasons made: a cluster of many is worth a feature, a list entry or labels.

# %%
numbers = errors.cluster(opened)
errors.clusters(opened, numbers)

# %%
plots.cluster_plot(opened, numbers)

# %% [markdown]
# ## Or is the label wrong?
#
# Labels that neither the model nor the nearest neighbours agree with, the likeliest first. Look these up before you
# believe any figure above; with their `raw_ref` they can be labelled anew.

# %%
suspects = errors.suspects(opened)
suspects.drop(columns=["surprise", "message"])

# %% [markdown]
# Rings in the lower right and upper left: the model and the neighbours differ, so that the model is the more likely
# one to err. Rings of the wrong colour in the other corners: both are against the label.

# %%
plots.neighbour_plot(opened, suspects)

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
# # What the features say
#
# How they are distributed for people and machines, what the model makes of them, and whether they stay the same from
# campaign to campaign. Without files of yours a sender is simulated. To look at your own, set `CLICKSIFT_EVENTS`,
# `CLICKSIFT_CAMPAIGNS` and `CLICKSIFT_LABELS`, or write the names into the next cell: `files =
# explore.Files(["export/"], campaigns="campaigns.csv", labels=["labels.parquet"])`.

# %%
# %matplotlib inline
from training import explore
from training import explore_feature_plots as plots
from training import explore_features as features

# %%
files = explore.own_files() or explore.simulated(seed=3, messages=8_000, kind="hard")

# %%
opened = explore.open_labelled(files)
print(len(opened), "labelled events; the file says", ", ".join(sorted(opened.capabilities)))

# %% [markdown]
# ## What the model rests on
#
# Filled dots are these events, hollow ones the training. A filled dot far to the right of its hollow one decides more
# here than it ever did; far to the left, the file lacks it or it says nothing here.

# %%
importance = features.importance(opened)
plots.importance_plot(importance)

# %%
importance.groupby("group")[["gain", "here"]].sum().sort_values("here", ascending=False).style.format("{:.1%}")

# %% [markdown]
# ## People and machines
#
# A feature is worth the more, the less its two sides look alike. "not known" on one side alone is telling too, and a
# thing to mistrust: another platform may not say it of anybody.

# %%
plots.distribution_plot(opened, importance.index[:12].tolist())

# %% [markdown]
# One of them in numbers; any name of [the list of features](../docs/features.md) will do.

# %%
features.distribution(opened, "since_arrival_s").style.format("{:.1%}")

# %% [markdown]
# ## From campaign to campaign
#
# Dark cells are campaigns that differ from all the others in a feature. If mistakes rise in the same column, that is
# why; if a feature is dark throughout, do not expect the next campaign to be like these.

# %%
stability = features.stability(opened, importance.index[:20].tolist())
plots.stability_plot(stability, features.mistakes_by_campaign(opened, stability.columns.tolist()))

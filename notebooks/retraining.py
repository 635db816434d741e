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
# # Retraining: labels, training, comparison, promotion
#
# Without files of yours a sender that is hard to judge is simulated, and the MLflow store is thrown away in the end.
# To retrain on your own events, set `CLICKSIFT_EVENTS`, `CLICKSIFT_CAMPAIGNS` and `CLICKSIFT_LABELS`, or write the
# names into the next cell: `files = explore.Files(["export/"], campaigns="campaigns.csv",
# labels=["labels.parquet"])`. The store is then `mlflow.db` in the working directory, the one of `clicksift train`.

# %%
# %matplotlib inline
from dataclasses import replace
from datetime import UTC, datetime

from features.duckdb_engine import DuckDBEngine, connect
from training import explore
from training import explore_retraining as look
from training.dataset import match_labels
from training.fit import WARM
from training.labels import label
from training.promote import challenge, present_champion
from training.retrain import Choices, train
from training.tracking import log_training

# %%
files = explore.own_files() or explore.simulated(seed=5, messages=6_000, kind="hard")

# %%
con = connect(threads=2)
capabilities = files.read(con).capabilities

# %% [markdown]
# ## Labels that nobody had to make
#
# Evidence for machines and for people, beside the labels given. Look for sources that are often wrong with your
# sender: leave those out, or review what they label.

# %%
DuckDBEngine(con).compute(capabilities)
found = label(con, capabilities)
match_labels(con)
evidence = look.evidence(con)
look.evidence_plot(evidence)

# %% [markdown]
# What had nothing to work with, and what would help:

# %%
print(*found.notes, sep="\n")

# %% [markdown]
# ## A first model
#
# New trees behind those of the champion, which is the bundled model where none is registered, from the earlier half of
# the messages.

# %%
choices, today = Choices(parameters=replace(WARM, trees=40)), datetime.now(UTC).date()
print(look.keep_part(con, 0, 0.5), "labels of the earlier half")
before = present_champion(files.store)
first = train(con, capabilities, base=before.model, choices=choices, created=today)
first.model.save(files.folder / "first-model")
compared = challenge(first, before, first.words, capabilities)
registered = log_training(first, files.folder / "first-model", files.store, comparison=compared)
print(look.promote_or_say(registered, files.store), *first.notes, sep="\n")

# %% [markdown]
# Beside the bundled model, or whatever was champion: by trees that had not seen the organisation. Filled dots to the
# left of hollow ones lose fewer people, to the right they find more machines.

# %%
look.comparison_plot(compared)

# %% [markdown]
# ## The next campaigns
#
# Some time later there is the other half. The next model begins with the champion's trees. The notes say
# what could not be shown, and which labels are probably wrong.

# %%
con = connect(threads=2)
files.read(con)
print(look.keep_part(con, 0.5, 1), "labels of the later half")
champion = present_champion(files.store)
trained = train(con, capabilities, base=champion.model, choices=choices, created=today)
trained.model.save(files.folder / "model")
print(*trained.notes, sep="\n")

# %% [markdown]
# ## Beside the champion
#
# The champion has not seen these events, and the new model is judged by trees that had not seen the organisation. A
# challenger may not lose more people, nor find less of a kind of event, a vendor or a label source, beyond the noise.

# %%
comparison = challenge(trained, champion, trained.words, capabilities)
name = log_training(trained, files.folder / "model", files.store, comparison=comparison)
print(name, "beside the champion:", *(comparison.reasons_against() or ["nothing speaks against it"]), sep="\n")

# %%
look.comparison_plot(comparison)

# %%
look.changes(comparison).head(10)

# %% [markdown]
# ## Promotion
#
# It takes the champion's place where nothing speaks against it. `clicksift rollback` puts the one before back;
# `clicksift score --model models:/clicksift@champion` goes by it.

# %%
print(look.promote_or_say(name, files.store))

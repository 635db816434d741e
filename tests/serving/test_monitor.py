"""Drift: what is like the training is passed over in silence, what is not is named."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from features.catalog import CATEGORICAL, FEATURE_NAMES
from features.errors import ModelError
from features.feature import CAPABILITIES
from serving import monitor
from serving.model import BotClickModel, bundled
from serving.monitor import Sample, Shape, drift, profile, sampled, verdict_codes, write_drift

ALL = frozenset(CAPABILITIES)
OPEN, CLICK = 0, 1
HUMAN, UNSURE, AUTOMATED = 0, 1, 2
DELAY, OPERATOR, BROWSER = (FEATURE_NAMES.index(name) for name in ("since_delivery_s", "network_operator", "browser"))


def sample_of(n=4_000, *, seed=1, delay=100.0, operators=(1, 2, 3), groups=1, kind=CLICK):
    """Events of one kind: delays drawn about `delay`, operators and browsers in turn, nothing else known."""
    random = np.random.default_rng(seed)
    X = np.full((n, len(FEATURE_NAMES)), np.nan, dtype=np.float32)
    X[:, DELAY] = random.exponential(delay, n)
    X[:, OPERATOR] = random.choice(operators, n)
    X[:, BROWSER] = random.integers(0, 4, n)
    return Sample(X, np.full(n, kind, np.int8), np.arange(n) % groups)


def weights(**shares):
    found = np.zeros(len(FEATURE_NAMES))
    for name, share in shares.items():
        found[FEATURE_NAMES.index(name)] = share
    return found


WEIGHTS = weights(since_delivery_s=0.7, network_operator=0.3)


def verdicts_of(n, automated=0.5):
    return np.where(np.arange(n) / n < automated, AUTOMATED, HUMAN)


def model_with(known):
    """The bundled model with this profile in its manifest."""
    base = bundled()
    training = {**base.manifest["training"], "profile": known}
    return BotClickModel.create(
        base.booster_text,
        base.calibration,
        base.thresholds,
        base.card,
        created=date(2026, 3, 2),
        feature_names=base.feature_names,
        feature_fingerprint=base.manifest["feature_fingerprint"],
        reference={},
        training=training,
        metrics={},
    )


@pytest.fixture(scope="module")
def model():
    """A model that learnt from `sample_of()`, half of whose events were automated."""
    return model_with(profile(sample_of(), verdicts_of(4_000), WEIGHTS))


def scored(sample, automated=0.5):
    """A connection with the tables of a scored file."""
    con = duckdb.connect()
    columns = {name: sample.X[:, place].astype(np.float64) for place, name in enumerate(FEATURE_NAMES)}
    features = pa.table(
        {"event_row": np.arange(len(sample.kind))}
        | {name: pa.array(values, mask=np.isnan(values)) for name, values in columns.items()}
    )
    facts = pa.table({"event_row": np.arange(len(sample.kind)), "kind": sample.kind.astype(int), "camp": sample.group})
    words = np.array(monitor.VERDICTS, dtype=object)[verdicts_of(len(sample.kind), automated)]
    verdicts = pa.table({"event_row": np.arange(len(sample.kind)), "verdict": pa.array(list(words))})
    for name, table in {"features": features, "facts": facts, "verdicts": verdicts}.items():
        con.register("given", table)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        con.unregister("given")
    return con


def test_other_events_of_the_same_source_are_passed_over_in_silence(model):
    found = drift(scored(sample_of(seed=2)), model, ALL)
    assert found.lines() == []
    assert found.kinds["clicked"].moved == 0
    assert found.kinds["clicked"].events == 4_000
    assert max(one.psi for one in found.features) < 0.05


def test_a_feature_that_moved_is_named_with_what_it_carries(model):
    found = drift(scored(sample_of(seed=2, delay=3_000.0)), model, ALL)
    assert found.features[0].feature == "since_delivery_s"
    assert found.features[0].psi > 1
    [line] = found.lines()
    assert line.startswith("unlike the training: clicks differ in features that 70% of the model rests on")
    assert ", most of all seconds since" in line


def test_a_feature_without_weight_that_moved_is_no_line_but_a_figure(model):
    browsers = sample_of(seed=2)
    browsers.X[:, BROWSER] = 3
    found = drift(scored(browsers), model, ALL)
    assert found.lines() == []
    assert found.features[0].feature == "browser"
    assert found.features[0].has_moved


def test_networks_never_met_are_counted(model):
    found = drift(scored(sample_of(seed=2, operators=(1, 2, 3) * 6 + (40,))), model, ALL)
    assert found.kinds["clicked"].new["networks"] == pytest.approx(1 / 19, abs=0.005)
    assert found.kinds["clicked"].new["agents"] == 0
    assert found.lines() == ["unlike the training: 5% of clicks come from kinds of networks not met there"]


@pytest.mark.parametrize(("automated", "lines"), [(0.6, 0), (0.4, 0), (0.7, 1), (0.3, 1)])
def test_more_or_fewer_machines_than_usual_are_told(model, automated, lines):
    found = drift(scored(sample_of(seed=2), automated), model, ALL).lines()
    assert len(found) == lines
    if lines:
        assert found == [
            f"unlike the training: {automated:.0%} of clicks are called automated, there it was 50%"
            " (35% to 65% is ordinary)"
        ]


def test_everything_at_once_is_three_lines(model):
    con = scored(sample_of(seed=2, delay=9_000.0, operators=(40, 41)), 1.0)
    assert len(drift(con, model, ALL).lines()) == 3


def test_what_single_worlds_differ_from_all_is_ordinary():
    """Each group of the training has delays of its own; a file like one of them is like the training."""
    parts = [sample_of(400, seed=g, delay=10.0 * 3**g) for g in range(8)]
    group = np.repeat(np.arange(8), 400)
    training = Sample(np.concatenate([part.X for part in parts]), np.full(3_200, CLICK, np.int8), group)
    known = profile(training, verdicts_of(3_200), WEIGHTS)
    assert known["kinds"]["clicked"]["ordinary"]["groups"] == 8
    own = drift(scored(sample_of(seed=9, delay=90.0)), model_with(known), ALL)
    assert own.features[0].psi > 0.25
    assert own.lines() == []
    # Without knowing of groups the same file is unlike the training.
    blind = profile(dataclasses.replace(training, group=np.zeros(3_200, np.int64)), verdicts_of(3_200), WEIGHTS)
    assert drift(scored(sample_of(seed=9, delay=90.0)), model_with(blind), ALL).lines() != []


def test_what_a_file_cannot_say_is_no_drift(model):
    con = scored(sample_of(seed=2, operators=(40, 41)))
    without = drift(con, model, ALL - {"address"})
    assert without.lines() == []
    assert "network_operator" not in {one.feature for one in without.features}


def test_a_file_of_opens_is_not_compared_with_clicks(model):
    found = drift(scored(sample_of(seed=2, kind=OPEN)), model, ALL)
    assert (found.kinds, found.features, found.lines()) == ({}, (), [])


def test_few_events_are_not_compared(model):
    assert drift(scored(sample_of(monitor.FEWEST_EVENTS - 1, delay=9_000.0)), model, ALL).kinds == {}


def test_a_model_without_a_profile_has_no_drift(tmp_path):
    plain = bundled()
    if "profile" in plain.manifest["training"]:
        plain = model_with(None)
    assert drift(scored(sample_of()), plain, ALL) is None
    write_drift(tmp_path / "drift.json", None)
    assert json.loads((tmp_path / "drift.json").read_text()) == {}


def test_a_profile_that_is_none_is_refused_as_the_models_fault():
    with pytest.raises(ModelError, match="the profile of its training cannot be read"):
        drift(scored(sample_of()), model_with({"kinds": {"clicked": {"features": 3}}}), ALL)


def test_the_file_has_all_figures_and_the_lines(model, tmp_path):
    found = drift(scored(sample_of(seed=2, delay=3_000.0)), model, ALL)
    write_drift(tmp_path / "drift.json", found)
    content = json.loads((tmp_path / "drift.json").read_text())
    assert content["model_version"] == model.version
    assert content["lines"] == found.lines()
    assert content["kinds"]["clicked"]["verdicts"] == {"human": 0.5, "unsure": 0.0, "automated": 0.5}
    assert len(content["features"]) == len(found.features)


def test_a_profile_of_everything_is_small():
    """Opens, clicks and unsubscribes in which every feature takes many values, codes too."""
    random = np.random.default_rng(3)
    n = 6_000
    X = random.lognormal(3, 3, (n, len(FEATURE_NAMES))).astype(np.float32)
    for name in CATEGORICAL:
        X[:, FEATURE_NAMES.index(name)] = random.integers(0, 40, n)
    sample = Sample(X, (np.arange(n) % 3).astype(np.int8), np.arange(n) % 10)
    known = profile(sample, verdicts_of(n), np.full(len(FEATURE_NAMES), 1 / len(FEATURE_NAMES)))
    assert set(known["kinds"]) == {"opened", "clicked", "unsubscribed"}
    # As it stands in a manifest: sorted, indented and inside two more objects.
    text = json.dumps({"training": {"profile": known}}, indent=2, sort_keys=True, allow_nan=False)
    assert len(text) < 60_000 + 2_000


def test_sampling_takes_about_as_many_as_asked_and_the_same_ones_each_time():
    con = scored(sample_of())
    few = sampled(con, FEATURE_NAMES, most=400)
    assert 300 < len(few.kind) < 500
    assert np.array_equal(few.X, sampled(con, FEATURE_NAMES, most=400).X, equal_nan=True)
    everything = sampled(con, FEATURE_NAMES)
    assert np.array_equal(everything.X, sample_of().X, equal_nan=True)


def test_a_rare_kind_is_not_thinned_out_with_the_others():
    """Of 12,000 clicks one in thirty is taken, and all of 300 opens."""
    clicks, opens = sample_of(12_000), sample_of(300, kind=OPEN)
    both = Sample(
        *(np.concatenate([getattr(part, name) for part in (clicks, opens)]) for name in ("X", "kind", "group"))
    )
    kind = sampled(scored(both), FEATURE_NAMES, most=400).kind
    assert (kind == OPEN).sum() == 300
    assert 300 < (kind == CLICK).sum() < 500


def test_a_verdict_code_is_that_of_its_kind():
    at = bundled().thresholds
    thresholds = {name: dataclasses.replace(at["default"], human=0.2, automated=0.9) for name in at} | {
        "opened": dataclasses.replace(at["default"], human=0.1, automated=0.3)
    }
    codes = verdict_codes(np.array([0.15, 0.3, 0.15, 0.9]), np.array([0, 0, 1, 1], np.int8), thresholds)
    assert codes.tolist() == [UNSURE, AUTOMATED, HUMAN, AUTOMATED]


values = hnp.arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan) | st.integers(0, 3)
)


@settings(deadline=None, max_examples=50)
@given(values, st.booleans())
def test_shares_add_up_and_a_distribution_is_at_no_distance_from_itself(drawn, is_code):
    if is_code:
        drawn = np.round(drawn)
    shape = Shape.of(drawn, is_code=is_code)
    assert shape.shares.sum() == pytest.approx(1)
    assert shape.shares[-1] == pytest.approx(np.isnan(drawn).mean())
    assert Shape.from_json(shape.to_json()).psi(drawn) == pytest.approx(0, abs=1e-3)


def test_a_distance_is_the_index_of_the_shares():
    """Half and half against a fifth and four fifths, no NULL: 0.3 ln 2.5 and 0.3 ln 1.6."""
    codes = np.array([1, 2], np.float32)
    shape = Shape.of(np.repeat(codes, 500), is_code=True)
    other = np.repeat(codes, [200, 800])
    assert shape.psi(other) == pytest.approx(0.3 * np.log(2.5) + 0.3 * np.log(1.6))

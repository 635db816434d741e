"""What `import clicksift` gives to a notebook: the figures of the command, as pandas frames."""

from __future__ import annotations

import doctest
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import clicksift
from features.errors import InputError, ModelError
from serving.model import bundled
from training.simulation import simulate

# pyarrow 23 asks pandas 3.1 for the values of times in a way that it will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning")
OF_CAMPAIGN = ["n_links", "honeypot_url", "unsubscribe_url"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `demo`, the files of a simulated sender, in which all of this runs."""
    folder = tmp_path_factory.mktemp("notebook")
    simulate(8, 600).write(folder / "demo")
    return folder


@pytest.fixture(scope="module")
def key(folder):
    return folder / "recipient.key"


@pytest.fixture(scope="module")
def events(folder, key):
    return clicksift.read(folder / "demo/events.parquet", campaigns=folder / "demo/campaigns.parquet", key_file=key)


@pytest.fixture(scope="module")
def scored(events, key):
    return clicksift.score(events, key_file=key)


@pytest.fixture(scope="module")
def scanner(scored):
    """A click by a machine of Cisco's."""
    return scored.loc[(scored["vendor"] == "cisco") & (scored["event_type"] == "clicked"), "event_id"].iloc[0]


def test_the_examples_of_the_docstrings_print_what_they_say(folder, monkeypatch):
    monkeypatch.chdir(folder)
    runner, examples = doctest.DocTestRunner(), {"clicksift": clicksift}
    finder = doctest.DocTestFinder(recurse=False)
    for name in ("read", "score", "campaigns", "explain"):
        [test] = finder.find(getattr(clicksift, name), name, globs=examples)
        assert test.examples
        test.globs = examples
        said = []
        runner.run(test, out=said.append, clear_globs=False)
        assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_importing_clicksift_imports_no_pandas():
    program = "import sys, clicksift; print('pandas' in sys.modules); clicksift.read; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\nTrue\n"


def test_all_names_are_there_and_no_others():
    assert all(getattr(clicksift, name) for name in clicksift.__all__)
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = clicksift.predict


def test_a_frame_a_file_and_the_command_give_the_same(folder, events, scored, key, in_process, tmp_path):
    demo = folder / "demo"
    code, _, _ = in_process(
        "score",
        demo / "events.parquet",
        "--campaigns",
        demo / "campaigns.parquet",
        "--key-file",
        key,
        "-o",
        "s.parquet",
    )
    assert code == 0
    file = clicksift.score(demo / "events.parquet", campaigns=demo / "campaigns.parquet", key_file=key)
    pd.testing.assert_frame_equal(scored, file)
    pd.testing.assert_frame_equal(scored.drop(columns=OF_CAMPAIGN), pd.read_parquet(tmp_path / "s.parquet"))
    code, _, _ = in_process("campaigns", "s.parquet", "-o", "c.parquet")
    assert code == 0
    written = pd.read_parquet(tmp_path / "c.parquet")
    pd.testing.assert_frame_equal(clicksift.campaigns(scored), written)
    pd.testing.assert_frame_equal(clicksift.campaigns(tmp_path / "s.parquet"), written)


def test_a_table_with_names_of_its_own_is_read_like_its_file(key):
    table = pd.DataFrame(
        {
            "Event": ["delivered", "click"],
            "When": ["2026-03-02 09:00:00", "2026-03-02 09:00:04"],
            "email": ["Ann@gateway.example"] * 2,
            "mailing": "spring-01",
            "client": [None, "198.51.100.7"],
        },
        index=["first", "second"],
    )
    read = clicksift.read(table, mapping={"timestamp": "When", "ip": "client"}, tz="Europe/Berlin", key_file=key)
    assert read["event_type"].tolist() == ["delivered", "clicked"]
    assert read["timestamp"].tolist() == [pd.Timestamp(f"2026-03-02T08:00:0{s}Z") for s in (0, 4)]
    assert read["ip"].tolist()[1] == "198.51.100.7"
    assert not read["recipient_id"].str.contains("@").any()
    assert read["recipient_domain"].unique().tolist() == ["gateway.example"]
    named = table.rename(columns={"client": "ip"}).drop(columns="When").assign(timestamp=read["timestamp"].to_numpy())
    assert clicksift.score(named, key_file=key).index.tolist() == ["first", "second"]


def test_rows_keep_their_index_and_copies_become_one_event(events, scored, key):
    doubled = pd.concat([events, events.head(3)]).set_axis(range(1_000, 1_003 + len(events)))
    given = doubled.copy()
    again = clicksift.score(doubled, model=bundled(), reasons=False, key_file=key)
    assert again.index.tolist() == list(range(1_000, 1_000 + len(events)))
    assert again["dup_count"].tolist() == [1] * 3 + [0] * (len(events) - 3)
    assert np.array_equal(again["probability"], scored["probability"], equal_nan=True)
    pd.testing.assert_frame_equal(doubled, given)


def test_what_campaigns_and_domains_say_goes_with_the_events(folder, scored, key):
    path = folder / "demo/events.parquet"
    campaigns = pd.read_parquet(folder / "demo/campaigns.parquet")
    domains = pd.DataFrame({"recipient_domain": scored["recipient_domain"].dropna().unique(), "mx": "mx1.ess.example"})
    read = clicksift.read(path, campaigns=campaigns, domains=domains, key_file=key)
    links = campaigns.set_index("campaign_id")["n_links"]
    assert (read["n_links"] == read["campaign_id"].map(links)).all()
    assert read["mx"].unique().tolist() == ["mx1.ess.example"]
    without = clicksift.read(path, key_file=key)
    assert not {*OF_CAMPAIGN, "mx"} & set(without.columns)
    later = clicksift.score(without, campaigns=campaigns, key_file=key)
    pd.testing.assert_frame_equal(later, scored)


def test_two_numbers_of_links_for_one_campaign_are_refused(events, key):
    events = events.assign(n_links=range(len(events)))
    with pytest.raises(InputError, match="campaigns stand twice"):
        clicksift.score(events, key_file=key)


def test_what_was_set_aside_is_a_warning_where_it_was_called(key):
    table = pd.DataFrame({"event": "open", "timestamp": ["2026-03-02T09:00:00Z", "soon"], "message_id": ["a", "b"]})
    with pytest.warns(UserWarning, match=r"1 of 2 records were set aside: timestamp is not a time \(1\)") as told:
        clicksift.read(table, key_file=key)
    assert {warning.filename for warning in told} == {__file__}
    with pytest.raises(InputError, match="set aside"), warnings.catch_warnings():
        clicksift.read(table, max_errors=0, key_file=key)


def test_a_column_of_several_types_is_refused_in_one_line(key):
    table = pd.DataFrame({"event": "open", "timestamp": "2026-03-02T09:00:00Z", "message_id": ["a", 1]})
    with pytest.raises(InputError, match="give each column one type") as refused:
        clicksift.read(table, key_file=key)
    assert "\n" not in str(refused.value)


def test_signs_add_up_to_the_probability_and_the_strongest_are_the_reasons(scored, scanner):
    row = scored.set_index("event_id").loc[scanner]
    signs = clicksift.explain(scored, scanner)
    margin = np.array([signs["log_odds"].sum()])
    assert bundled().calibration.apply(margin)[0] == pytest.approx(row["probability"], abs=1e-6)
    assert signs["log_odds"].abs().is_monotonic_decreasing
    assert (signs["reason"] == "every event").sum() == 1
    strongest = signs[(signs["log_odds"] > 0) & signs["words"].notna()]["words"].iloc[0]
    assert row["reasons"].startswith(strongest)


def test_several_events_are_explained_in_the_order_asked(scored, scanner, folder, tmp_path):
    person = scored.loc[scored["verdict"] == "human", "event_id"].iloc[0]
    signs = clicksift.explain(scored, [person, scanner])
    assert signs["event_id"].unique().tolist() == [person, scanner]
    totals = signs.groupby("event_id")["log_odds"].sum()
    assert totals[person] < 0 < totals[scanner]
    scored.to_parquet(tmp_path / "scored.parquet")
    pd.testing.assert_frame_equal(clicksift.explain(tmp_path / "scored.parquet", [person, scanner]), signs)


def test_signs_of_other_events_campaigns_or_models_are_refused(scored, scanner, folder):
    clicks = scored[scored["event_type"] == "clicked"]
    with pytest.raises(InputError, match="give explain all events"):
        clicksift.explain(clicks, scanner)
    with pytest.raises(InputError, match=r"scored by model 0123, not"):
        clicksift.explain(scored.assign(model_version="0123"), scanner)
    with pytest.raises(InputError, match=r"scored by model 0123, not"):
        clicksift.campaigns(scored.assign(model_version="0123"))
    with pytest.raises(InputError, match="scored Parquet file"):
        clicksift.explain("scored.csv", scanner)


def test_events_that_are_not_there_or_not_judged_are_refused(scored):
    with pytest.raises(InputError, match="event_id nobody: is not among"):
        clicksift.explain(scored, "nobody")
    delivered = scored.loc[scored["event_type"] == "delivered", "event_id"].iloc[0]
    with pytest.raises(InputError, match="was not judged"):
        clicksift.explain(scored, delivered)


def test_events_that_nobody_scored_have_no_figures(events, scanner):
    with pytest.raises(InputError, match=r"give the one that clicksift\.score returned"):
        clicksift.campaigns(events)
    with pytest.raises(InputError, match=r"give the one that clicksift\.score returned"):
        clicksift.explain(events, scanner)


@pytest.mark.parametrize("by", ["link", "domain", "host", "vendor"])
def test_figures_come_by_what_the_command_knows(scored, by):
    assert len(clicksift.campaigns(scored, by=by))
    with pytest.raises(InputError):
        clicksift.campaigns(scored, by="moon")


def test_a_model_is_taken_by_its_folder(events, scored, key, tmp_path):
    bundled().save(tmp_path / "model")
    again = clicksift.score(events, model=str(tmp_path / "model"), reasons=False, key_file=key)
    assert np.array_equal(again["probability"], scored["probability"], equal_nan=True)
    assert again["reasons"].isna().all()
    with pytest.raises(ModelError):
        clicksift.score(events, model=tmp_path / "absent", key_file=key)

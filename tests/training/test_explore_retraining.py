"""Retraining looked at: evidence beside labels, parts of the messages, changes in the order of their size."""

from __future__ import annotations

import pytest

from features.duckdb_engine import DuckDBEngine
from features.errors import InputError
from tests.training.conftest import opened
from tests.training.registered_models import BETTER, FINDS_LESS, FIRST, GOOD, LOSING, UNCOMPARED, compared, copied
from training import explore_retraining as look
from training.dataset import match_labels
from training.labels import label


def test_evidence_stands_beside_the_labels_given(sender):
    with opened(sender) as (con, capabilities):
        DuckDBEngine(con).compute(capabilities)
        label(con, capabilities)
        con.execute("CREATE OR REPLACE TEMP TABLE labels AS SELECT * REPLACE (NOT automated AS automated) FROM labels")
        match_labels(con)
        turned = look.evidence(con)
        con.execute("DELETE FROM event_labels")
        unlabelled = look.evidence(con)
        [(events,)] = con.execute("SELECT count(*) FROM label_evidence").fetchall()
    assert turned["events"].sum() == events > 100
    assert turned["differ"].sum() > 0.9 * events
    assert unlabelled[["agree", "differ"]].to_numpy().sum() == 0
    assert turned["events"].is_monotonic_decreasing


def test_parts_of_the_messages_add_up_and_none_is_in_both(sender):
    kept = []
    for since, until in ((0, 0.5), (0.5, 1)):
        with opened(sender) as (con, _):
            labels = look.keep_part(con, since, until)
            messages = con.execute("SELECT DISTINCT message_id, recipient_id FROM events").fetchall()
            last = con.execute(
                "SELECT max(f) FROM (SELECT min(timestamp) AS f FROM events GROUP BY message_id, recipient_id)"
            )
            kept.append((labels, set(messages), last.fetchall()[0][0]))
    with opened(sender) as (con, _):
        [(all_labels, all_messages)] = con.execute(
            "SELECT (SELECT count(*) FROM labels), (SELECT count(DISTINCT (message_id, recipient_id)) FROM events)"
        ).fetchall()
    (early, early_messages, early_last), (late, late_messages, late_last) = kept
    assert early + late == all_labels
    assert not early_messages & late_messages
    assert len(early_messages) + len(late_messages) == all_messages
    assert early_last < late_last


def test_changes_name_the_kinds_first_and_have_both_models_shares():
    found = look.changes(compared(GOOD, FINDS_LESS))
    assert found.loc[0, ["by", "part"]].tolist() == ["kind", "all"]
    assert found.loc[0, ["found champion", "found challenger", "found change"]].tolist() == pytest.approx(
        [0.9, 1.0, 0.1]
    )
    assert found.loc[0, ["lost champion", "lost challenger"]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (BETTER, "models:/clicksift/2 is champion now, in place of models:/clicksift/1."),
        (FIRST, "models:/clicksift/1 is champion already."),
        (LOSING, "models:/clicksift/3 is not promoted: it loses more of people's clicks: "),
    ],
)
def test_a_promotion_is_told_in_a_sentence(registered_store, tmp_path, version, said):
    assert look.promote_or_say(f"models:/clicksift/{version}", copied(registered_store, tmp_path)).startswith(said)


def test_what_was_never_compared_is_refused(registered_store, tmp_path):
    with pytest.raises(InputError, match="no comparison with the champion"):
        look.promote_or_say(f"models:/clicksift/{UNCOMPARED}", copied(registered_store, tmp_path))


def test_pictures_are_drawn(sender, tmp_path):
    with opened(sender) as (con, capabilities):
        DuckDBEngine(con).compute(capabilities)
        label(con, capabilities)
        match_labels(con)
        look.evidence_plot(look.evidence(con)).savefig(tmp_path / "evidence.png", dpi=40)
    figure = look.comparison_plot(compared(GOOD, FINDS_LESS))
    assert figure.axes[0].get_yticklabels()[0].get_text() == "all  (500 + 500)"
    figure.savefig(tmp_path / "comparison.png", dpi=40)

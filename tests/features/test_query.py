import re

import pytest
import sqlglot
from sqlglot import exp

from features.catalog import FEATURES
from features.feature import CAPABILITIES
from features.query import stages

STAGES = stages(FEATURES, frozenset(CAPABILITIES))
BARE = stages(FEATURES, frozenset(), coarse_times=True)


@pytest.mark.parametrize("stage", [*STAGES, *BARE], ids=lambda stage: stage.name)
def test_every_stage_parses_as_spark_sql(stage):
    assert isinstance(sqlglot.parse_one(stage.sql, dialect="spark"), exp.Select)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_no_window_aggregate_has_distinct(stage):
    windows = sqlglot.parse_one(stage.sql, dialect="spark").find_all(exp.Window)
    assert not any(window.this.find(exp.Distinct) for window in windows)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_an_order_without_a_frame_says_where_null_goes(stage):
    """DuckDB and Spark put NULL at different ends; a RANGE frame over a number leaves no choice."""
    for order in re.findall(r"ORDER BY ([^()]*)", stage.sql):
        assert "NULLS LAST" in order or "RANGE" in order


def test_stage_names_are_unique_and_end_in_the_feature_table():
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    assert names[-1] == "features"

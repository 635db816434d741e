"""Every way of writing a time gives the same instant; what is none is set aside."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError

WRITTEN = [
    # as written, as read (UTC), precision
    ("2026-03-01T10:00:00Z", "2026-03-01 10:00:00+00", "s"),
    ("2026-03-01 10:00:00+00", "2026-03-01 10:00:00+00", "s"),
    ("2026-03-01T13:00:00+03:00", "2026-03-01 10:00:00+00", "s"),
    ("2026-03-01T13:00:00+0300", "2026-03-01 10:00:00+00", "s"),
    ("2026-03-01 13:00:00 +0300", "2026-03-01 10:00:00+00", "s"),
    ("2026-03-01T06:00:00.1234567-04:00", "2026-03-01 10:00:00.123456+00", "us"),
    ("2026-03-01T10:00:00.5Z", "2026-03-01 10:00:00.5+00", "ms"),
    ("2026-03-01T10:00:00,250Z", "2026-03-01 10:00:00.25+00", "ms"),
    ("2026-03-01T10:00:00.123456789Z", "2026-03-01 10:00:00.123456+00", "us"),
    ("2026-03-01T10:00:00.000000Z", "2026-03-01 10:00:00+00", "s"),
    ("10/Oct/2000:13:55:36 -0700", "2000-10-10 20:55:36+00", "s"),
    ("1772359200", "2026-03-01 10:00:00+00", "s"),
    (1772359200, "2026-03-01 10:00:00+00", "s"),
    (1772359200.123, "2026-03-01 10:00:00.123+00", "ms"),
    (1772359200123, "2026-03-01 10:00:00.123+00", "ms"),
    ("1772359200123.75", "2026-03-01 10:00:00.12375+00", "us"),
    (1772359200123456, "2026-03-01 10:00:00.123456+00", "us"),
    (1772359200123456789, "2026-03-01 10:00:00.123456+00", "us"),
]


@pytest.mark.parametrize(("written", "instant", "precision"), WRITTEN, ids=[str(row[0]) for row in WRITTEN])
def test_a_time_with_a_zone_or_an_epoch_is_read(reading, written, instant, precision):
    summary = reading.events({"timestamp": written})
    assert reading.column("timestamp", "ts_precision") == [(instant, precision)]
    assert summary.warnings == ()


NOT_TIMES = ["", "soon", "0", "-1", "0001-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "infinity",
             "9" * 19, "9" * 40,
             "2026-13-01T00:00:00Z", "1989-12-31T23:59:59Z", "nan", None, True, {"a": 1}]  # fmt: skip


@pytest.mark.parametrize("written", NOT_TIMES, ids=[str(value)[:20] for value in NOT_TIMES])
def test_what_is_not_a_time_is_set_aside(reading, written):
    summary = reading.events({"timestamp": written}, {"message_id": "good"})
    assert summary.rejected == {"timestamp is not a time": 1}
    assert reading.column("message_id") == ["good"]


@pytest.mark.parametrize("written", ["2026-03-01T10:00:00", "2026-03-01 10:00:00.000", "2026-03-01 10:00"])
def test_a_naive_time_is_utc_with_a_warning_or_in_the_zone_that_is_named(reading, written):
    summary = reading.events({"timestamp": written})
    assert reading.column("timestamp") == ["2026-03-01 10:00:00+00"]
    assert summary.warnings == ("1 rows carry a time without a zone, read as UTC; name their zone with --tz",)
    summary = reading.events({"timestamp": written}, tz="Europe/Berlin")
    assert reading.column("timestamp") == ["2026-03-01 09:00:00+00"]
    assert summary.warnings == ()


def test_the_named_zone_leaves_times_with_a_zone_and_epochs_alone(reading):
    reading.events(
        {"timestamp": "2026-03-01T10:00:00Z"}, {"timestamp": 1772359200},
        {"timestamp": "2026-07-01T10:00:00"},
        tz="America/New_York",
    )  # fmt: skip
    assert reading.column("timestamp") == [
        "2026-03-01 10:00:00+00",
        "2026-07-01 14:00:00+00",  # summer time; the first two are one event
    ]


def test_an_unknown_zone_is_an_error_with_the_nearest_name(reading):
    with pytest.raises(
        InputError, match=r"--tz Europe/Berln: there is no such time zone; did you mean 'Europe/Berlin'"
    ):
        reading.events({}, tz="Europe/Berln")


@pytest.mark.parametrize(
    ("kind", "warned"),
    [(pa.timestamp("s"), True), (pa.timestamp("ms"), True), (pa.timestamp("us"), True),
     (pa.timestamp("ns"), True),
     (pa.timestamp("ms", "UTC"), False), (pa.timestamp("us", "Europe/Berlin"), False),
     (pa.timestamp("ns", "UTC"), False)],
    ids=str,
)  # fmt: skip
def test_parquet_timestamps_of_every_unit_are_read(reading, kind, warned):
    moment = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
    times = pa.array([moment if kind.tz else moment.replace(tzinfo=None)], kind)
    path = reading.folder / "events"
    pq.write_table(pa.table({"event_type": ["click"], "timestamp": times, "message_id": ["m"]}), path)
    summary = reading.paths(path)
    assert reading.column("timestamp", "ts_precision") == [("2026-03-01 10:00:00+00", "s")]
    assert bool(summary.warnings) == warned


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.decimal128(24, 3), pa.string()], ids=str)
def test_parquet_epochs_of_every_number_type_are_read(reading, kind):
    path = reading.folder / "events"
    times = pa.array([1772359200]).cast(kind)
    pq.write_table(pa.table({"event_type": ["click"], "timestamp": times, "message_id": ["m"]}), path)
    reading.paths(path)
    assert reading.column("timestamp") == ["2026-03-01 10:00:00+00"]


def test_one_row_s_precision_says_nothing_of_another_row(reading):
    reading.events({"timestamp": "2026-03-01T10:00:00Z"}, {"timestamp": "2026-03-01T10:00:00.001Z"})
    assert reading.column("ts_precision") == ["s", "ms"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 12, 31)), min_size=1, max_size=8))
def test_iso_text_and_epoch_microseconds_of_one_moment_agree(reading, moments):
    base = dt.datetime(1970, 1, 1)
    late = [moment for moment in moments if moment.year > 1980]
    rows = [{"timestamp": moment.isoformat() + "Z", "message_id": str(n)} for n, moment in enumerate(late)]
    rows += [
        {"timestamp": f"{(moment - base) // dt.timedelta(microseconds=1) * 1000}", "message_id": str(n)}
        for n, moment in enumerate(late)
    ]
    assert reading.events(*rows).rejected == {}
    found = reading.column("timestamp", "ts_precision", "dup_count")
    assert len(found) == len(late)
    assert all(copies == 1 for _, _, copies in found)

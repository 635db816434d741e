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


DAY_MONTH = {
    # values of one column, and what each is read as (UTC); None is set aside as no time
    "a day above 12 proves day first": {
        "03/11/2025 20:00:05": "2025-11-03 20:00:05+00",
        "13/11/2025": "2025-11-13 00:00:00+00",
        "1/2/2025 9:05": "2025-02-01 09:05:00+00",
        "2025/11/04 10:00": "2025-11-04 10:00:00+00",
        "10/Oct/2000:13:55:36 -0700": "2000-10-10 20:55:36+00",
    },
    "a second number above 12 proves month first": {
        "03/11/2025 20:00:05": "2025-03-11 20:00:05+00",
        "03/12/2025 20:00:05.25 +0200": "2025-03-12 18:00:05.25+00",
        "11/13/2025 20:00 Europe/Berlin": "2025-11-13 19:00:00+00",
        "12/31/2025 20:00 America/New_York": "2026-01-01 01:00:00+00",
    },
    "half days": {
        "3/25/2025 12:00:05 AM": "2025-03-25 00:00:05+00",
        "3/2/2025 12:30 pm": "2025-03-02 12:30:00+00",
        "3/2/2025 8:05PM": "2025-03-02 20:05:00+00",
        "3/2/2025 08:05:01.25 am": "2025-03-02 08:05:01.25+00",
        "3/2/2025 8:00 PM America/New_York": "2025-03-03 01:00:00+00",
        "3/2/2025 13:05 PM": None,
        "3/2/2025 0:05 AM": None,
    },
    "dots are day first, whatever slashes are": {
        "03.11.2025 02:14": "2025-11-03 02:14:00+00",
        "4.11.2025 2:14:05": "2025-11-04 02:14:05+00",
        "05.11.2025": "2025-11-05 00:00:00+00",
        "11.13.2025": None,
        "11/13/2025": "2025-11-13 00:00:00+00",
    },
    "what is no date in either order proves nothing": {
        "13/13/2025": None,
        "45/01/2025": None,
        "00/14/2025": None,
        "02/31/2025": None,
        "01/02/25": None,
        "02/03/2025 soon": None,
        "02/03/2025": "2025-02-03 00:00:00+00",
        "02/14/2025": "2025-02-14 00:00:00+00",
    },
}


def rows(values):
    return [{"timestamp": value, "message_id": str(n)} for n, value in enumerate(values)]


@pytest.mark.parametrize("values", DAY_MONTH.values(), ids=DAY_MONTH.keys())
def test_dates_with_slashes_or_dots_are_read_in_the_order_that_their_column_proves(reading, values):
    good = [instant for instant in values.values() if instant is not None]
    bad = {"timestamp is not a time": len(values) - len(good)}
    for written in (list(values), list(values)[::-1]):
        assert reading.events(*rows(written)).rejected == {reason: n for reason, n in bad.items() if n}
        assert sorted(reading.column("timestamp")) == sorted(good)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["03/11/2025", "12/12/2025 8:05 PM"], "date could be day-first or month-first"),
        (["03/11/2025", "13/11/2025", "11/13/2025"], "dates mix day-first and month-first"),
    ],
)
def test_dates_whose_order_cannot_be_told_are_set_aside_and_the_others_read(reading, values, reason):
    others = ["2026-03-01T10:00:00Z", "2026/03/02 10:00", "04.11.2025", "1772359201"]
    summary = reading.events(*rows([*values, *others, "13/13/2025"]))
    assert summary.rejected == {reason: len(values), "timestamp is not a time": 1}
    assert reading.column("timestamp") == [
        "2026-03-01 10:00:00+00", "2026-03-02 10:00:00+00", "2025-11-04 00:00:00+00", "2026-03-01 10:00:01+00",
    ]  # fmt: skip


def test_when_no_order_can_be_told_the_error_says_what_to_do(reading):
    with pytest.raises(InputError, match=r"\(write 2026-03-01, or give rows beyond the 12th\)"):
        reading.events({"timestamp": "03/11/2025 20:00:05"})


def test_the_order_is_one_for_all_files_of_a_form_and_each_column_has_its_own(reading):
    head = "event_type,timestamp,sent_at,message_id\n"
    reading.paths(
        reading.file("a.csv", f"{head}click, 03/11/2025 10:00 ,11/02/2025,a\n"),
        reading.file("b.csv", f"{head}click,13/11/2025 10:00,11/13/2025,b\n"),
    )
    assert reading.column("timestamp", "sent_at") == [
        ("2025-11-03 10:00:00+00", "2025-11-02 00:00:00+00"),
        ("2025-11-13 10:00:00+00", "2025-11-13 00:00:00+00"),
    ]


def test_dates_with_slashes_or_dots_obey_the_named_zone_and_count_as_naive_without_it(reading):
    written = rows(["13/07/2025 20:00:05", "13/01/2025 8:00 PM", "13.01.2025 20:00", "13/01/2025 20:00:00 +0000"])
    summary = reading.events(*written)
    assert summary.warnings == ("3 rows carry a time without a zone, read as UTC; name their zone with --tz",)
    summary = reading.events(*written, tz="Europe/Berlin")
    assert summary.warnings == ()
    assert reading.column("timestamp") == [
        "2025-07-13 18:00:05+00", "2025-01-13 19:00:00+00", "2025-01-13 19:00:00+00", "2025-01-13 20:00:00+00",
    ]  # fmt: skip


STYLES = {"day": ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %I:%M:%S %p"), "month": ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(
        st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2100, 12, 31)), min_size=1, max_size=6, unique=True
    ),
    order=st.sampled_from(["day", "month"]),
)
def test_every_moment_is_read_back_in_both_orders_and_both_clocks(reading, moments, order):
    whole = [moment.replace(microsecond=0) for moment in moments]
    proof = dt.datetime(2025, 11, 13)
    for style in STYLES[order]:
        assert reading.events(*rows(moment.strftime(style) for moment in (*whole, proof))).rejected == {}
        assert reading.column("timestamp") == [f"{moment}+00" for moment in (*whole, proof)]


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

"""Every JSON value of a file is found, and what is broken costs itself alone and is given back as it stood."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.readers import json_scan
from features.readers.json_scan import CUT_OFF, NOT_JSON, NOT_UTF8, TOO_DEEP, TOO_LONG, Piece, scan

BLOCKS = [1, 7, 4096]
CLICK = {"event": "click", "email": "ann@example.com", "timestamp": 1772359200, "url_offset": {"index": 0}}


def pieces(text: str | bytes, block: int = 4096) -> list[Piece]:
    return list(scan(io.BytesIO(text.encode() if isinstance(text, str) else text), block=block))


def good(found: list[Piece]) -> list[str]:
    return [piece.text for piece in found if piece.reason is None]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    "text",
    {
        "one array": '[{"a":1},{"b":[{"c":2}]}]',
        "arrays one a line": '[{"a":1}]\n[{"b":[{"c":2}]}]\n',
        "arrays without anything between": '[{"a":1}][{"b":[{"c":2}]}]',
        "arrays with commas between": '[{"a":1}],\n[{"b":[{"c":2}]}],\n',
        "empty arrays between": '[][{"a":1}][ ]\n[{"b":[{"c":2}]}][]',
        "objects one a line": '{"a":1}\n{"b":[{"c":2}]}',
        "windows line ends": '{"a":1}\r\n{"b":[{"c":2}]}\r\n',
        "objects without anything between": '{"a":1}{"b":[{"c":2}]}',
        "objects with commas between": '{"a":1}, {"b":[{"c":2}]},',
        "a trailing comma in an array": '[{"a":1},{"b":[{"c":2}]},\n]',
        "commas in a row": '[,{"a":1},,{"b":[{"c":2}]}]',
        "a byte order mark": '\ufeff[{"a":1},{"b":[{"c":2}]}]',
        "a byte order mark of each part": '\ufeff{"a":1}\n\ufeff{"b":[{"c":2}]}\n',
        "an array without its end": '[{"a":1},{"b":[{"c":2}]}',
        "an array without its beginning": '{"a":1},{"b":[{"c":2}]}]',
        "an array without its end before another": '[{"a":1}\n[{"b":[{"c":2}]}]',
        "an array cut off at a comma before another": '[{"a":1},\n[{"b":[{"c":2}]}]\n',
    }.items(),
    ids=lambda case: case[0],
)
def test_records_are_found_whatever_holds_them(text, block):
    assert pieces(text[1], block) == [Piece('{"a":1}', None), Piece('{"b":[{"c":2}]}', None)]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1 -2.5e3,"a"\nnull\ttrue', ["1", "-2.5e3", '"a"', "null", "true"]),
        ("[[1],[2]]", ["[1]", "[2]"]),
        ("[\n[1\n],\n[\n2\n]\n]", ["[1\n]", "[\n2\n]"]),
        ("[[]]", ["[]"]),
        ('{\n  "a": [\n    {},\n    {}\n  ]\n}', ['{\n  "a": [\n    {},\n    {}\n  ]\n}']),
        ('{"a":1,"a":2}', ['{"a":1,"a":2}']),
        ('{"a":"} {\\" ]"}', ['{"a":"} {\\" ]"}']),
        (f'{{"a":{"9" * 5000}}}', [f'{{"a":{"9" * 5000}}}']),
        ("", []),
        (" \n , \n", []),
    ],
)
def test_other_values_are_given_as_they_stood(text, expected, block):
    assert pieces(text, block) == [Piece(value, None) for value in expected]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # What is broken, and what stands around it.
        ('{"a":1}\n{"b":oops}\n{"c":3}\n', ['{"a":1}', '!{"b":oops}', '{"c":3}']),
        ('[{"a":1,},{"c":3}]', ['!{"a":1,}', '{"c":3}']),
        ('{"a":oops,"x":{"b":1}}{"c":3}', ['!{"a":oops,"x":{"b":1}}', '{"c":3}']),
        ('[{"a":oops,"x":[{"b":1},{"b":2}]},{"c":3}]', ['!{"a":oops,"x":[{"b":1},{"b":2}]}', '{"c":3}']),
        ('{"a":NaN,"x":{"b":1}}{"c":3}', ['!{"a":NaN,"x":{"b":1}}', '{"c":3}']),
        ("[1,-Infinity,2]", ["1", "!-Infinity", "2"]),
        ('{"a":"tab\t"}\n{"c":3}', ['!{"a":"tab\t"}', '{"c":3}']),
        ('{"a":1}}\n{"c":3}', ['{"a":1}', "!}", '{"c":3}']),
        # A record that lost its end.
        ('{"a":\n{"b":2}\n{"c":3}\n', ['!{"a":', '{"b":2}', '{"c":3}']),
        ('{"a":[1,\n{"b":2}\n{"c":3}\n', ['!{"a":[1', '{"b":2}', '{"c":3}']),
        ('{"a":12{"b":2}{"c":3}', ['!{"a":12', '{"b":2}', '{"c":3}']),
        ('{"a":"tex{"b":2}{"c":3}', ['!{"a":"tex', '{"b":2}', '{"c":3}']),
        ('[{"a":1,"x":,{"b":2},{"c":3}]', ['!{"a":1,"x":', '{"b":2}', '{"c":3}']),
        ('[{"a":1}, {"x":\n[{"b":2}]\n', ['{"a":1}', '!{"x":', '{"b":2}']),
        ('[{"a":1},{"x":2]\n[{"b":2}]', ['{"a":1}', '!{"x":2', '{"b":2}']),
        ('[\n  {\n    "a": "cut\n  {\n    "b": 2\n  }\n]', ['!{\n    "a": "cut', '{\n    "b": 2\n  }']),
        # A record that lost its beginning, or a quote.
        ('x":{"y":1}}\n{"b":2}', ['!x":{"y":1}}', '{"b":2}']),
        ('"x":{"y":1}}\n{"b":2}', ['!"x":{"y":1}}', '{"b":2}']),
        ('{"a":"foo,"x":{"y":1}}{"b":2}{"c":3}', ['!{"a":"foo,"x":{"y":1}}', '{"b":2}', '{"c":3}']),
        # Text that is none of JSON's.
        ('2026-03-01 {"a":1}', ["!2026-03-01", '{"a":1}']),
        ('got: {"a":{"b":1}}\nbye\n[{"c":3}]', ["!got:", '{"a":{"b":1}}', "!bye", '{"c":3}']),
        ("{'a': 1}\n{'b': 2}\n", ["!{'a': 1}", "!{'b': 2}"]),
        ('[oops, {"a":1}]', ["!oops", '{"a":1}']),
        ("\x00\x00\x00", ["!\x00\x00\x00"]),
    ],
)
def test_what_is_broken_costs_itself_alone(text, expected, block):
    found = pieces(text, block)
    assert ["!" * bool(piece.reason) + piece.text for piece in found] == expected
    assert {piece.reason for piece in found} <= {None, NOT_JSON}


@pytest.mark.parametrize("block", BLOCKS)
def test_the_end_of_a_file_can_be_missing_anywhere(block):
    whole = r'{"a":[true,false,null,-1.5e+10,1.0E-3,"\u00e9\ud83d\ude00\n\"é😀"],"b":{"x":1},"c":[1, 2]}'.encode()
    for length in range(1, len(whole)):
        first, last = pieces(b'{"z":0}\n' + whole[:length], block)
        assert first == Piece('{"z":0}', None)
        assert last == Piece(whole[:length].decode("utf-8", "replace").rstrip(" ,"), CUT_OFF)


def test_a_record_with_bytes_that_are_not_utf8_is_set_aside_with_marks_in_their_place():
    found = pieces(b'{"a":"\xe9t\xe9"}{"b":"\xc3\xa9"}\n\xff\xfe\n{"c":3}', block=1)
    assert found == [
        Piece('{"a":"\ufffdt\ufffd"}', NOT_UTF8),
        Piece('{"b":"é"}', None),
        Piece("\ufffd\ufffd", NOT_UTF8),
        Piece('{"c":3}', None),
    ]


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":'])
def test_brackets_without_end_are_set_aside_and_the_next_line_is_read(opened):
    found = pieces(f'{{"x":1}}\n{opened * 50_000}\n{{"y":2}}\n', block=2**16)
    assert good(found) == ['{"x":1}', '{"y":2}']
    assert {piece.reason for piece in found} == {None, TOO_DEEP}


@pytest.mark.parametrize(
    "text",
    ['{"a":"' + "x" * 3000 + '"}', '{"a":[' + '{"b":1},' * 400 + "0]}", "x" * 3000, '{"a":' + "1" * 3000 + "}"],
    ids=["a string", "objects", "no JSON", "a number"],
)
def test_what_is_longer_than_the_limit_comes_in_parts(monkeypatch, text):
    monkeypatch.setattr(json_scan, "LONGEST", 1000)
    found = pieces(f'{{"y":1}}\n{text}\n{{"z":2}}\n', block=100)
    assert good(found) == ['{"y":1}', '{"z":2}']
    parts = [piece.text for piece in found if piece.reason == TOO_LONG]
    assert len(parts) >= 3
    assert max(map(len, parts)) <= 1000
    assert "".join(parts).replace(",", "") == text.replace(",", "")


def test_records_that_lost_their_end_do_not_take_the_others_along(monkeypatch):
    monkeypatch.setattr(json_scan, "_CREDIBLE", 2000)
    monkeypatch.setattr(json_scan, "_FAR", 500)
    rows = [json.dumps({**CLICK, "n": n}) for n in range(300)]
    broken = [row[:-1] + ', "z": [1' if n % 10 == 5 else row for n, row in enumerate(rows)]
    found = pieces("[\n" + ",\n".join(broken) + "\n]")
    assert good(found) == [row for n, row in enumerate(rows) if n % 10 != 5]
    assert len(found) == 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=3), max_size=6)
LAYOUTS = {
    "array": lambda rows: "[" + ",".join(rows) + "]",
    "array over lines": lambda rows: "[\n" + ",\n".join(rows) + "\n]\n",
    "lines": lambda rows: "".join(row + "\n" for row in rows),
    "concatenated": "".join,
    "arrays": lambda rows: "\n".join(f"[{row}]" for row in rows),
}


@settings(max_examples=80, deadline=None)
@given(RECORDS, st.sampled_from(list(LAYOUTS)), st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 60))
def test_well_formed_files_are_given_record_by_record(rows, layout, indent, ascii_only, block):
    texts = [json.dumps(row, indent=indent, ensure_ascii=ascii_only) for row in rows]
    data = LAYOUTS[layout](texts).encode()
    assert pieces(data, block) == [Piece(text, None) for text in texts]


@settings(max_examples=50, deadline=None)
@given(st.lists(JSON, max_size=5), st.sampled_from([None, 0, 1]), st.integers(1, 60))
def test_elements_of_an_array_are_what_the_json_module_finds(values, indent, block):
    found = pieces(json.dumps(values, indent=indent), block)
    assert {piece.reason for piece in found} <= {None}
    assert [json.loads(piece.text) for piece in found] == values


@st.composite
def damaged(draw) -> bytes:
    """A file of some layout with bytes cut off, taken out, replaced or put in."""
    rows = [json.dumps(row, ensure_ascii=False) for row in draw(RECORDS)]
    data = bytearray(LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))](rows).encode())
    for _ in range(draw(st.integers(0, 4))):
        place, length = draw(st.integers(0, len(data))), draw(st.integers(0, 5))
        filling = draw(st.binary(max_size=3) | st.sampled_from([b"{", b"[", b"]", b'"', b"\n", b"\\", b",", b'{"a":']))
        data[place : place + length] = filling
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


def bare(text: str) -> str:
    """The text without what may be passed over; bytes that are not UTF-8 are one mark, however many they are."""
    return re.sub("\ufffd+", "\ufffd", re.sub(r"[ \t\r\n,\ufeff\[\]]", "", text))


@settings(max_examples=200, deadline=None)
@given(damaged() | st.binary(max_size=60), st.integers(1, 60))
def test_nothing_is_lost_and_nothing_is_called_json_that_is_none(data, block):
    found = pieces(data, block)
    assert bare("".join(piece.text for piece in found)) == bare(data.decode("utf-8", "replace"))
    assert [piece.text.strip(" \t\r\n,") for piece in found] == [piece.text for piece in found]
    for text in good(found):
        json.loads(text, parse_constant=pytest.fail, parse_int=str)


@settings(max_examples=80, deadline=None)
@given(damaged(), st.integers(1, 60))
def test_it_does_not_matter_in_which_blocks_a_file_is_read(data, block):
    assert pieces(data, block) == pieces(data, 2**20)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 4), st.integers(1, 200), st.integers(0, 3), st.sampled_from(["lines", "array over lines"]))
def test_one_broken_line_costs_one_record(which, place, taken, layout):
    rows = [json.dumps({**CLICK, "n": n}) for n in range(5)]
    place = min(place, len(rows[which]) - 1)
    rows[which] = rows[which][:place] + (rows[which][place + taken :] if taken else "")
    found = good(pieces(LAYOUTS[layout](rows), 64))
    assert [text for text in found if text in set(rows) - {rows[which]}] == rows[:which] + rows[which + 1 :]


@pytest.mark.parametrize("layout", ["array", "concatenated"])
def test_one_cut_record_without_line_ends_costs_at_most_itself_and_the_next(layout):
    rows = [json.dumps({**CLICK, "n": n}) for n in range(5)]
    for place in range(1, len(rows[2])):
        found = good(pieces(LAYOUTS[layout]([*rows[:2], rows[2][:place], *rows[3:]])))
        assert found[:2] == rows[:2]
        assert found[-1] == rows[4] or rows[2][:place].endswith("{")


@pytest.mark.parametrize(
    "unit",
    [
        "abcdefgh",
        '\\"',
        '"',
        "[",
        "[\n",
        '{"a":',
        '{"a":\n',
        "[1,\n",
        "{\n",
        '{"',
        'x{"a":',
        '{"a":"x" ',
        '{"a":["x",',
        "}",
    ],
)
def test_garbage_takes_time_that_grows_with_its_size_only(unit):
    began = time.process_time()
    found = pieces(unit * (2**18 // len(unit)), block=2**16)
    assert time.process_time() - began < 3
    assert bare("".join(piece.text for piece in found)) == bare(unit * (2**18 // len(unit)))

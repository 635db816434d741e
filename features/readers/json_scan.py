"""JSON values of a stream one by one, whatever holds them and whatever is broken between them.

Slower and far more patient than DuckDB's reader; for the files at which that one stops: an array, arrays that
follow each other, objects that follow each other, one a line or not, with or without commas between any of them.
Memory is bounded by the longest record, and that by `LONGEST`; time grows with the size, also on garbage.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CUT_OFF = "cut off at the end of the file"
NOT_JSON = "not valid JSON"
NOT_UTF8 = "not UTF-8"
TOO_DEEP = "nested too deeply"
TOO_LONG = "longer than 64 MB"

# In characters, like all sizes here but that of a block.
LONGEST = 64 * 2**20
# What reaches over more text than this, and over lines that look like the next record, has lost its end.
_CREDIBLE = 2**20
# No event is shorter than _SHORTEST_EVENT: after so many failures in a row, shorter steps would only take time.
_HOPELESS = 1000
_SHORTEST_EVENT = 64
# Where a broken record went so far over the beginning of the next, each is read up to the next such line.
_FAR = 2**16
# Text before the place of the error may be read again, so much and so many times what was passed.
_AGAIN = 2**28
_AGAIN_TIMES = 8
# At the first depth no record can be meant, at the second nobody counts any more.
_DEPTH = 500
_DEEPEST = 200_000
_INDENT = 256

_SPACE = " \t\r\n\ufeff"
_GAP = re.compile(f"[{_SPACE},]*+")
_AFTER_SCALAR = frozenset(_SPACE + ",[]{")
# What the end of the text leaves in doubt behind the last whole token: a part of a literal or number, of an escape.
_HALF = re.compile(r"[ \t\r\n]*+|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|Na?|-?I[a-z]*+|-|[.eE][-+]?")
_HALF_ESCAPE = re.compile(r"\\?u?[0-9A-Fa-f]{0,4}")
_OBJECT = re.compile(r'\{[ \t\r\n]*+"(?:[^"\\\n]++|\\.)*+"[ \t\r\n]*+:')
# Strings and what follows them are one token, for there is no bracket to see.
_TOKEN = re.compile(r'(?:"(?:[^"\\\n]++|\\.)*+"?[^"{}\[\]]*+)++|[{}\[\]]')
_ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """One JSON value as it stood in the file (`reason` is None), or text that is none and the reason why."""

    text: str
    reason: str | None


def scan(stream: BinaryIO, *, block: int = 4 * 2**20) -> Iterator[Piece]:
    """Give every JSON value of the stream in order; arrays at the top are unpacked to their elements, one level.

    What cannot be read comes as a piece with its reason, and the scan goes on where the next record can begin: at
    a line that starts with a bracket and is not indented deeper, or at an object that is no part of the broken
    one. The pieces are the whole stream but for blanks, commas, byte order marks and the brackets of arrays at the
    top; bytes that are not UTF-8 are U+FFFD in them. Valid is what the standard calls so: no NaN, no Infinity.
    """
    window = _Window(stream, block)
    inside = False
    while window.find_value():
        bracket = window.text[window.at]
        if bracket == "]":
            inside = False
            window.at += 1
        elif bracket == "[" and not (inside and window.is_element()):
            inside = window.due = True
            window.at += 1
        elif (piece := window.value()) is not None:
            yield piece
        else:
            yield from window.broken()


class _Uncounted(str):
    """Text that counts no lines: a JSONDecodeError does so from the start each time, which is quadratic."""

    __slots__ = ()

    def count(self, *_: object) -> int:
        return 0

    def rfind(self, *_: object) -> int:
        return -1


class _Window:
    """The part of the stream that is looked at; `at` is the next place, what lies before it may be gone.

    `due`: a comma or the opening bracket of an array lies before `at`, so that an element belongs there.
    """

    def __init__(self, stream: BinaryIO, block: int) -> None:
        self.text = _Uncounted()
        self.at = 0
        self.due = False
        self._stream = stream
        self._block = block
        self._half_character = b""
        self._complete = False
        self._escaped = False
        self._passed = 0
        self._again = 0
        self._failures = 0
        self._by_line = False
        self._reason = ""
        self._error_at = 0
        self._lines: dict[int, tuple[int, int]] = {}
        self._constants: list[str] = []
        # Only the place where a value ends is wanted, so hardly anything is built from it.
        self._decode = json.JSONDecoder(
            object_hook=bool, parse_int=bool, parse_float=bool, parse_constant=self._constants.append
        ).raw_decode

    def find_value(self) -> bool:
        """Go to the next character behind blanks and commas; False at the end of the stream."""
        while True:
            end = self._behind_gap(self.at)
            self.due = self.due or "," in self.text[self.at : end]
            self.at = end
            if end < len(self.text):
                return True
            if self._complete:
                return False
            self._read_more()

    def is_element(self) -> bool:
        """Tell whether the "[" at `at`, in an array at the top, opens an element of it.

        If not, the array was cut off, and this is the next one: no comma lies between, or it starts a line and
        nothing behind it goes on with the first array.
        """
        if not self.due:
            return False
        if self.text[self.at - 1 : self.at] != "\n":
            return True
        while True:
            end, reason, _ = self._value_end()
            if reason == TOO_DEEP:
                return True
            behind = self._behind_gap(end)
            if not end or behind < len(self.text) or self._complete:
                return bool(end) and ("," in self.text[end:behind] or self.text[behind : behind + 1] == "]")
            self._read_more()

    def value(self) -> Piece | None:
        """Give the value at `at` and go behind it; None where it is broken."""
        self.due = False
        end, self._reason, self._error_at = self._value_end()
        if not end:
            return None
        text = self.text[self.at : end]
        self.at = end
        if self._constants:
            self._constants.clear()
            return self._aside(text, NOT_JSON)
        if self._escaped and _ESCAPED.search(text):
            return self._aside(text, NOT_UTF8)
        if text[0] == "{" and len(text) >= _SHORTEST_EVENT:
            self._failures = 0
        return Piece(text, None)

    def broken(self) -> Iterator[Piece]:
        """Give what lies between `at`, where `value` found none, and the place where a record can begin next."""
        reason, known = self._reason, self._error_at - self.at
        is_json = self.text[self.at] in "{["
        open_brackets = bytearray()
        while True:
            end = self._next_record(self.at + known, reason, is_json, open_brackets)
            if end < len(self.text) or self._complete:
                break
            if len(self.text) - self.at >= LONGEST:
                reason, known = TOO_LONG, 0
                end = self.at + LONGEST
                if is_json:
                    _follow(open_brackets, self.text, self.at, end)
                if len(open_brackets) <= _DEEPEST:
                    end = _last_token(self.text, self.at, end)
                yield self._aside(self.text[self.at : end], reason)
                self.at = end
            self._read_more()
        if reason == CUT_OFF and end < len(self.text):
            reason = NOT_JSON
        text = self.text[self.at : end].rstrip(_SPACE + ",")
        if text:
            yield self._aside(text, reason)
        self.at += len(text)

    def _value_end(self) -> tuple[int, str, int]:
        """The end of the value at `at`; 0 where it is broken, the reason, and the place of the error."""
        while True:
            end, reason, error_at = self._decoded()
            if reason != CUT_OFF or self._complete:
                return end, reason, error_at
            length = len(self.text) - self.at
            if length >= LONGEST:
                return end, TOO_LONG, error_at
            if length >= _CREDIBLE and self._next_line(self.at + 1) < len(self.text):
                return end, NOT_JSON, error_at
            self._read_more()

    def _decoded(self) -> tuple[int, str, int]:
        text, start = self.text, 0
        if self._by_line and (line := self._next_line(self.at + 1)) < min(self.at + _CREDIBLE, len(text)):
            text, start = _Uncounted(text[self.at : line]), self.at
        in_doubt = CUT_OFF if text is self.text else NOT_JSON
        at = self.at - start
        self._constants.clear()
        try:
            _, end = self._decode(text, at)
        except json.JSONDecodeError as error:
            return 0, in_doubt if _is_half(text, error) else NOT_JSON, start + error.pos
        except RecursionError:
            return 0, TOO_DEEP, start + _deep(text, at)
        if text[at] not in "{[":
            # 2026 may be the beginning of 2026-03-01, and "a" of "a": 1.
            if end < len(text) and text[end] not in _AFTER_SCALAR:
                return 0, in_doubt if _HALF.fullmatch(text, end) else NOT_JSON, self.at
            if end == len(text) and in_doubt == CUT_OFF and not self._complete:
                return 0, CUT_OFF, self.at
        return start + end, "", start + end

    def _aside(self, text: str, reason: str) -> Piece:
        self._failures += 1
        if self._escaped and _ESCAPED.search(text):
            text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            reason = NOT_UTF8 if reason == NOT_JSON else reason
        return Piece(text, reason)

    def _next_record(self, error_at: int, reason: str, is_json: bool, open_brackets: bytearray) -> int:
        """The place behind `at` where the broken record ends or the next one begins; the end of `text` if unknown.

        `open_brackets` are those that are open at `at`; `is_json` is False where none is known that could hold objects.
        """
        text = self.text
        first = self.at + 1
        if self._failures >= _HOPELESS:
            first = self.at + (_FAR if reason == TOO_DEEP else _SHORTEST_EVENT)
        line = self._next_line(first)
        if line < error_at:
            self._again += error_at - line
            self._by_line = self._by_line or error_at - line > _FAR
            if reason == TOO_DEEP or self._again > _AGAIN + _AGAIN_TIMES * (self._passed + self.at):
                line = self._next_line(error_at)
        brackets, reached = bytearray(open_brackets), self.at
        # Two less: where a string lost its end, the error is behind the quote of the next record's first name.
        for found in _OBJECT.finditer(text, max(first, error_at - 2), max(line, first)):
            start, in_array = found.start(), False
            if is_json:
                end, reached = _follow(brackets, text, reached, start)
                if end >= first:
                    return end
                if len(brackets) > _DEEPEST:
                    break
                in_array = reached <= start and brackets[-1:] == b"["
            if not _is_part(text[max(self.at, start - _INDENT) : start], is_json, in_array):
                return start
        end, _ = _follow(brackets, text, reached, line) if is_json else (0, 0)
        return end if end >= first else line

    def _next_line(self, first: int) -> int:
        """The bracket from `first` on that starts a line as far left as this one, or the end of `text`."""
        reach = max(0, self.at - _INDENT)
        line_end = str.rfind(self.text, "\n", reach, self.at)
        line = self.text[line_end + 1 if line_end >= 0 else reach : self.at]
        indent = len(line) - len(line.lstrip(" \t"))
        searched_from, found = self._lines.get(indent, (0, -1))
        if not searched_from <= first <= found:
            bracket = re.compile(f"\n[ \t]{{0,{indent}}}+(?=[{{\\[])").search(self.text, first - 1)
            found = bracket.end() if bracket else len(self.text)
            self._lines[indent] = (first, found)
        return found

    def _behind_gap(self, start: int) -> int:
        gap = _GAP.match(self.text, start)
        return gap.end() if gap else start

    def _read_more(self) -> None:
        """Read a block, or as much again as is left; give up what lies before `at` but for its indentation."""
        line_end = str.rfind(self.text, "\n", max(0, self.at - _INDENT), self.at)
        keep = line_end if line_end >= 0 else self.at
        rest = self.text[keep:]
        data = self._stream.read(max(self._block, min(len(rest), LONGEST - len(rest))))
        self._complete = not data
        data = self._half_character + data
        try:
            more, used = codecs.utf_8_decode(data, "strict", self._complete)
        except UnicodeDecodeError:
            more, used = codecs.utf_8_decode(data, "surrogateescape", self._complete)
            self._escaped = True
        self._half_character = data[used:]
        self.text = _Uncounted(rest + more)
        self.at -= keep
        self._passed += keep
        self._lines.clear()


def _is_half(text: str, error: json.JSONDecodeError) -> bool:
    """Tell whether more text could have been the cure."""
    if error.msg.startswith("Unterminated string"):
        return True
    half = _HALF_ESCAPE if error.msg.startswith("Invalid \\u") else _HALF
    return half.fullmatch(text, error.pos) is not None


def _follow(brackets: bytearray, text: str, start: int, end: int) -> tuple[int, int]:
    """Open and close `brackets` by what stands between `start` and `end`.

    Gives the place where the last one is closed (0: none), or the bracket that closes the array around it; and
    the place that was reached, which a string may take beyond `end`.
    """
    reached = start
    if start >= end:
        return 0, reached
    for token in _TOKEN.finditer(text, start):
        if token.start() >= end:
            break
        reached = token.end()
        character = text[token.start()]
        if character in "{[":
            brackets.append(ord(character))
            if len(brackets) > _DEEPEST:
                return 0, end
        elif character in "}]" and brackets:
            if character == "]" and brackets == b"{":
                return token.start(), reached
            brackets.pop()
            if not brackets:
                return reached, reached
    return 0, reached


def _last_token(text: str, start: int, limit: int) -> int:
    """The end of the last token between `start` and `limit`; `limit` where there is none."""
    end = 0
    for token in _TOKEN.finditer(text, start):
        if token.end() > limit:
            return end or limit
        end = token.end()
    return limit


def _is_part(before: str, is_json: bool, in_array: bool) -> bool:
    """Tell whether an object behind `before` belongs to the broken record: as a member or element of it."""
    before = before.rstrip(_SPACE)
    if before.endswith(":"):
        return before[:-1].rstrip(_SPACE).endswith('"')
    return is_json and (before.endswith("[") or (in_array and before.endswith(",")))


def _deep(text: str, start: int) -> int:
    """The place where so many brackets are open that no record can be meant."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == _DEPTH:
            return token.end()
    return start

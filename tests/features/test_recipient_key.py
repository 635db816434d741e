"""The key is made once, kept private, and gives the same id for the same address."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.recipient_key import RecipientKey, address_in, domain_of

KEY = RecipientKey(bytes(32))


def test_the_key_is_made_on_first_use_and_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "new" / "recipient.key"
    first = RecipientKey.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert RecipientKey.load_or_create(path) == first
    assert [file.name for file in path.parent.iterdir()] == ["recipient.key"]


def test_runs_that_make_the_key_at_once_use_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: RecipientKey.load_or_create(tmp_path / "key"), range(16)))
    assert len({key.secret for key in keys}) == 1


def test_two_projects_have_different_keys_and_ids(tmp_path):
    one, other = RecipientKey.load_or_create(tmp_path / "a"), RecipientKey.load_or_create(tmp_path / "b")
    assert one.hash("bob@example.com") != other.hash("bob@example.com")


def test_a_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(InputError, match=r"key: found 5 bytes, a project key has 32; name the right file"):
        RecipientKey.load_or_create(tmp_path / "key")


def test_a_key_that_cannot_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="the project key cannot be read or made"):
        RecipientKey.load_or_create(tmp_path / "file" / "key")


def test_the_secret_is_not_shown():
    assert "secret" not in repr(RecipientKey.throwaway())


def test_case_and_blanks_around_an_address_do_not_matter():
    assert KEY.hash(" Bob@Example.COM ") == KEY.hash("bob@example.com")
    assert KEY.hash("bob@example.com") != KEY.hash("rob@example.com")


@given(st.text())
def test_any_text_has_an_id_of_32_hex_digits(text):
    assert len(KEY.hash(text)) == 32
    assert set(KEY.hash(text)) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("bob@example.com", "bob@example.com"),
        ("Bob <bob@example.com>", "bob@example.com"),
        ("mailto:bob@example.com", "bob@example.com"),
        ("bob@localhost", "bob@localhost"),
        ("@handle", None),
        ("a @ b", None),
        ("007", None),
    ],
)
def test_an_address_is_found_in_an_id(text, address):
    assert address_in(text) == address


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("bob@Example.COM.", "example.com"),
        ("bob@münchen.example", "xn--mnchen-3ya.example"),
        ("bob@" + "ü" * 70 + ".example", "ü" * 70 + ".example"),
    ],
    ids=["case and dot", "international", "no ASCII form"],
)
def test_the_domain_is_lower_case_and_ascii_where_it_can_be(address, domain):
    assert domain_of(address) == domain


def test_addresses_inside_a_text_are_replaced_and_the_rest_stays():
    text = 'to {"a":"Bob@example.com"}, https://medium.com/@bob'
    assert KEY.hash_within(text) == f'to {{"a":"{KEY.hash("bob@example.com")}"}}, https://medium.com/@bob'

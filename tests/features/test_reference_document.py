"""Lists come from paths, and over https alone."""

import gzip
import ssl
import threading
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from features.errors import InputError
from features.reference_document import open_document

LIST = b'{"addresses": []}'


class Publisher(BaseHTTPRequestHandler):
    """Answers as publishers do, and as they should not."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        leads_to = {"/moved": "/list.json", "/plain": "http://127.0.0.1/list.json", "/file": "file:///etc/hostname"}
        if path in leads_to:
            self.send_response(302)
            self.send_header("Location", leads_to[path])
            self.end_headers()
        elif path in {"/list.json", "/list.json.gz", "/broken"}:
            body = gzip.compress(LIST) if path.endswith("gz") else LIST
            self.send_response(200)
            self.send_header("Last-Modified", "Fri, 20 Nov 2026 23:59:59 GMT")
            self.send_header("Content-Length", str(len(body) + (100 if path == "/broken" else 0)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)

    def log_message(self, *arguments):
        """Nothing: the tests' own output is enough."""


@pytest.fixture(scope="module")
def publisher(tmp_path_factory):
    """The address of an https server on this machine, and the file of the authority that vouches for it."""
    folder = tmp_path_factory.mktemp("publisher")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", folder / "certificate"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(publisher, monkeypatch):
    """The server's address, with its authority trusted and no proxy between."""
    monkeypatch.setenv("SSL_CERT_FILE", str(publisher[1]))
    monkeypatch.setenv("no_proxy", "*")
    return publisher[0]


@pytest.mark.parametrize("path", ["/list.json", "/list.json.gz", "/moved"])
def test_a_list_is_fetched_over_https_with_the_servers_day(address, path):
    found = open_document(address + path)
    assert found.content == LIST
    assert found.served == date(2026, 11, 20)


def test_what_may_be_secret_in_an_address_is_in_no_name(address):
    found = open_document(address + "/list.json?licence_key=secret")
    assert found.name == found.origin == address + "/list.json"


def test_a_password_is_neither_sent_nor_shown():
    with pytest.raises(InputError, match=r"^https://example.com/list: no user and password are sent; download it"):
        open_document("https://user:secret@example.com/list")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/gone?token=secret", "/gone: the server answers 404 Not Found; try the address in a browser"),
        ("/plain", "/plain: cannot be fetched .it leads to http://127.0.0.1/list.json, which is not https"),
        ("/file", "/file: the server answers 302 Found .* is not allowed"),
        ("/broken", "/broken: cannot be fetched .the connection broke with 100 bytes missing"),
    ],
)
def test_an_answer_that_is_no_list_is_refused(address, path, message):
    with pytest.raises(InputError, match=address + message) as refusal:
        open_document(address + path)
    assert "secret" not in str(refusal.value)


def test_a_server_that_nobody_vouches_for_is_refused(publisher, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(InputError, match=r"cannot be fetched \(.*certificate"):
        open_document(publisher[0] + "/list.json")


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"^https://127.0.0.1:9/list: cannot be fetched \(.*; download it yourself"):
        open_document("https://127.0.0.1:9/list")


@pytest.mark.parametrize(
    "given", ["http://example.com/list.json", "file:///etc/hostname", "FILE:/etc/hostname", "ftp://example.com/list"]
)
def test_other_kinds_of_addresses_are_refused(given):
    with pytest.raises(InputError, match="addresses are fetched over https only; give an https address or a path"):
        open_document(given)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(InputError, match="an address cannot be read"):
        open_document("https://[2001:db8::1/list")


def test_a_path_is_read_and_unpacked(tmp_path):
    (tmp_path / "list.json.gz").write_bytes(gzip.compress(LIST))
    found = open_document(str(tmp_path / "list.json.gz"))
    assert (found.content, found.origin, found.served) == (LIST, "list.json.gz", None)


def test_a_path_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"no/such.json: cannot be read \(No such file or directory\); name a file"):
        open_document("no/such.json")


def test_half_a_gzip_file_is_refused(tmp_path):
    (tmp_path / "half.gz").write_bytes(gzip.compress(LIST)[:-6])
    with pytest.raises(InputError, match=r"half.gz: is a broken gzip file \(.*; download it again"):
        open_document(str(tmp_path / "half.gz"))


@pytest.mark.parametrize("packed", [False, True])
def test_more_than_any_list_has_is_refused(tmp_path, packed):
    content = bytes(3 << 20)
    (tmp_path / "huge").write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(InputError, match="huge: is larger than 2 MB, which no list is"):
        open_document(str(tmp_path / "huge"), largest=2 << 20)

"""nginx: the web server in front, with a configuration as the docs have it."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.documentation import ROOT

from .serving import wait_until

_SHIPPED = ROOT / "deploy" / "nginx.conf"
#: What an owner changes of it: nothing, and where a proxy of this machine stands before it.
NOT_CHANGED: Mapping[str, str] = MappingProxyType({})
BEHIND_A_PROXY = {
    "# set_real_ip_from 192.0.2.0/24;": "set_real_ip_from 127.0.0.1;",
    "# real_ip_header": "real_ip_header",
}
_HOST = "www.example.com"
#: Where Debian puts it, which is not on everybody's path.
_PLACES = "/usr/sbin:/usr/local/sbin"
#: Nothing of it stands outside of its folder, and it stays in the foreground.
_AROUND = """daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {}
http {
access_log off;
client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;
scgi_temp_path t;
%s
}
"""


def find_nginx() -> str:
    """Return the program; raises FileNotFoundError where there is none."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:{_PLACES}")
    if found is None:
        raise FileNotFoundError("nginx is not installed: python -m tests.install nginx")
    return found


@contextmanager
def running_nginx(servers: str) -> Iterator[int]:
    """Run it with these server blocks, in which `%d` is the port; yield the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # its worker runs as another user
        (folder / "t").mkdir()
        configuration = _AROUND % servers.replace("%d", str(port))
        (folder / "nginx.conf").write_text(configuration, "utf-8")
        command = [find_nginx(), "-p", name, "-c", "nginx.conf"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(lambda: process.poll() is not None or _answers(port))
            assert process.poll() is None, (folder / "log").read_text()
            yield port
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def shipped_nginx(server: str, *, changes: Mapping[str, str] = NOT_CHANGED) -> Iterator[int]:
    """Run it by the file that ships, in front of `server` (host:port); yield the port.

    `changes` are the texts that an owner would change of it.
    """
    around, inside = shipped_parts()
    for written, real in {"127.0.0.1:8000": server, **changes}.items():
        assert written in around
        around = around.replace(written, real)
    with running_nginx(f"{around}server {{ listen 127.0.0.1:%d; {inside}}}") as port:
        yield port


def shipped_parts() -> tuple[str, str]:
    """Return what belongs into `http` and what into `server`, as the file marks it."""
    text = _SHIPPED.read_text("utf-8")
    _, http_part, server_part = re.split(r"^# --- \w+ -+$", text, flags=re.M)
    return http_part, server_part


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate that nobody need trust, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    files = folder / "site.pem", folder / "site.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files

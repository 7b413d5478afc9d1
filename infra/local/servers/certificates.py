"""A certificate for TLS on this machine, signed by a small CA of its own."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.servers.templates import write

# The longest that common clients accept.
VALID_DAYS = 825
RENEW_BEFORE_DAYS = 30


def ensure_certificate(folder: Path, now: datetime) -> None:
    """Have `server.pem` (key and chain) and `ca.pem` in `folder`; remake them near their end."""
    if not _good_until(folder / "server.pem", now + timedelta(days=RENEW_BEFORE_DAYS)):
        server, ca = make_certificate(now)
        write(folder / "ca.pem", ca, mode=0o644)
        write(folder / "server.pem", server)


def make_certificate(now: datetime) -> tuple[str, str]:
    """PEM texts: the server's key with its chain, and the CA certificate for clients to trust.

    The CA's key is forgotten at once: nobody can sign anything else with what a client trusts.
    """
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("recsys local CA", ca_key, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    signed_ca = ca.issuer_name(_name("recsys local CA")).sign(ca_key, hashes.SHA256())
    addresses = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    server = (
        _certificate("localhost", key, now)
        .issuer_name(signed_ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    return _pem_key(key) + _pem(server) + _pem(signed_ca), _pem(signed_ca)


def _certificate(
    common_name: str, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is a little slow shall not find it "not yet valid".
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _pem_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def _good_until(path: Path, moment: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return certificate.not_valid_after_utc.astimezone(UTC) > moment

import base64
import copy

import msgspec
import pytest
from py_clob_client_v2.signer import Signer
from py_clob_client_v2.signing.eip712 import sign_clob_auth_message
from py_clob_client_v2.signing.hmac import build_hmac_signature

from shared.venue import auth
from shared.venue.auth import AuthProblem, Credentials

PRIVATE_KEY = "0x" + "11" * 32
SECRET = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()
NOW_S = 1_790_000_000


def make_credentials() -> Credentials:
    return Credentials("0xAbC0000000000000000000000000000000000001", "key-1", SECRET, "phrase")


def check(headers: dict[str, str], **spoilt: object) -> AuthProblem | None:
    request = {"method": "POST", "path": "/order", "body": b'{"a":1}', "now_s": NOW_S} | spoilt
    return auth.check_request(make_credentials(), headers, window_s=30, **request)  # type: ignore[arg-type]


def make_headers() -> dict[str, str]:
    return auth.request_headers(make_credentials(), NOW_S, "POST", "/order", b'{"a":1}')


@pytest.mark.parametrize("body", [b"", b'{"orderID":"0x01"}', b"{'odd': 1}"])
def test_request_signature_equals_the_official_clients(body: bytes) -> None:
    ours = auth.request_signature(make_credentials().hmac_key, NOW_S, "DELETE", "/order", body)
    theirs = build_hmac_signature(SECRET, str(NOW_S), "DELETE", "/order", body.decode() or None)
    assert ours == theirs


def test_query_is_not_signed() -> None:
    key = make_credentials().hmac_key
    assert auth.request_signature(key, NOW_S, "GET", "/data/orders?id=1", b"") == (
        auth.request_signature(key, NOW_S, "GET", "/data/orders", b"")
    )


def test_headers_that_were_made_are_accepted_in_both_cases_of_their_names() -> None:
    assert check(make_headers()) is None
    assert check({name.lower(): value for name, value in make_headers().items()}) is None


@pytest.mark.parametrize("name", sorted(make_headers()))
def test_request_without_a_header_is_refused(name: str) -> None:
    headers = make_headers()
    del headers[name]
    assert check(headers) is AuthProblem.HEADER_MISSING


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("POLY_ADDRESS", "0x00", AuthProblem.KEY_UNKNOWN),
        ("POLY_API_KEY", "key-2", AuthProblem.KEY_UNKNOWN),
        ("POLY_PASSPHRASE", "guess", AuthProblem.PASSPHRASE_WRONG),
        ("POLY_TIMESTAMP", "now", AuthProblem.TIMESTAMP_INVALID),
        ("POLY_TIMESTAMP", "-5", AuthProblem.TIMESTAMP_INVALID),
        ("POLY_TIMESTAMP", "1" * 13, AuthProblem.TIMESTAMP_INVALID),
        ("POLY_TIMESTAMP", str(NOW_S + 1), AuthProblem.SIGNATURE_WRONG),
        ("POLY_SIGNATURE", "AAAA", AuthProblem.SIGNATURE_WRONG),
        ("POLY_SIGNATURE", "\u00fc", AuthProblem.SIGNATURE_WRONG),
    ],
)
def test_request_with_a_wrong_header_is_refused_with_the_reason(
    name: str, value: str, problem: AuthProblem
) -> None:
    assert check(make_headers() | {name: value}) is problem


@pytest.mark.parametrize(
    "spoilt",
    [{"method": "DELETE"}, {"path": "/orders"}, {"body": b'{"a":2}'}, {"body": b""}],
)
def test_signature_covers_method_path_and_body(spoilt: dict[str, object]) -> None:
    assert check(make_headers(), **spoilt) is AuthProblem.SIGNATURE_WRONG


@pytest.mark.parametrize(
    ("now_s", "problem"),
    [
        (NOW_S - 31, AuthProblem.TIMESTAMP_EXPIRED),
        (NOW_S - 30, None),
        (NOW_S + 30, None),
        (NOW_S + 31, AuthProblem.TIMESTAMP_EXPIRED),
    ],
)
def test_timestamp_is_taken_within_the_window_either_way(
    now_s: int, problem: AuthProblem | None
) -> None:
    assert check(make_headers(), now_s=now_s) is problem


def test_credentials_show_no_secret_and_are_not_serialised() -> None:
    credentials = make_credentials()
    assert SECRET not in repr(credentials)
    assert "phrase" not in f"{credentials} {credentials!r}"
    with pytest.raises(TypeError):
        msgspec.json.encode(credentials)
    with pytest.raises(TypeError):
        copy.copy(credentials)


def test_secret_that_is_not_base64_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="base64url") as caught:
        Credentials("0x00", "key", "not base64!", "phrase")
    assert "not base64!" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("nonce", [0, 7])
def test_attestation_digest_is_the_one_the_official_client_signs(nonce: int) -> None:
    signer = Signer(PRIVATE_KEY, 137)
    digest = auth.attestation_digest(signer.address(), NOW_S, nonce)
    assert "0x" + signer.sign(digest) == sign_clob_auth_message(signer, NOW_S, nonce)

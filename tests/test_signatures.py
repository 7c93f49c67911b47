"""Who knocks: signatures made by the Standard Webhooks package itself, and all that is wrong."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from app import signatures
from app.documents import Door

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BODY = '{"type": "invoice.updated", "Å": "\\u0000"}'.encode()
SECRETS = ["whsec_" + base64.b64encode(bytes([number]) * 24).decode() for number in range(3)]


def door(*secrets: str, tokens: tuple[str, ...] = ()) -> Door:
    return Door.model_validate({"secrets": secrets, "bearer_tokens": tokens})


def signed(
    secret: str = SECRETS[0], body: bytes = BODY, at: datetime = NOW, message_id: str = "msg_1"
) -> dict[str, str]:
    """The headers as the package makes them."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
    }


def is_genuine(headers: dict[str, str], at_door: Door, body: bytes = BODY, now: Any = NOW) -> bool:
    verdict = signatures.verify(headers, body, at_door, now)
    assert verdict.ok != bool(verdict.failed)
    return verdict.ok


@pytest.mark.parametrize("body", [BODY, b"{}", b"", b"x" * 200_000])
def test_what_the_standard_package_signs_is_genuine(body: bytes) -> None:
    assert is_genuine(signed(body=body), door(SECRETS[0]), body)


def test_what_we_sign_is_genuine_to_the_standard_package() -> None:
    moment = datetime.now(UTC)
    stamp = int(moment.timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signatures.sign(SECRETS[0], "msg_1", stamp, BODY),
    }
    Webhook(SECRETS[0]).verify(BODY, headers)
    assert is_genuine(headers, door(SECRETS[0]), now=moment)


def test_a_vector_of_the_specification() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    moment = datetime.fromtimestamp(1614265330, UTC)
    assert is_genuine(headers, door(secret), b'{"test": 2432232314}', moment)


@pytest.mark.parametrize("secret", SECRETS)
def test_any_active_secret_will_do(secret: str) -> None:
    assert is_genuine(signed(secret), door(*SECRETS))


@pytest.mark.parametrize(
    "arrange",
    [
        lambda good, bad: f"{bad} {good}",
        lambda good, bad: f"{good} {bad}",
        lambda good, _bad: f"v1a,{good[3:]} {good}",
        lambda good, _bad: f"v1,not-base64! v2,x garbage {good}",
        lambda good, bad: " ".join([bad] * 19 + [good]),
    ],
)
def test_one_good_signature_of_several_will_do(arrange: Any) -> None:
    good, bad = (signed(secret)["webhook-signature"] for secret in (SECRETS[0], SECRETS[2]))
    headers = signed() | {"webhook-signature": arrange(good, bad)}
    assert is_genuine(headers, door(SECRETS[0], SECRETS[1]))


@pytest.mark.parametrize(
    ("seconds", "ok"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_the_time_may_be_five_minutes_off_either_way(seconds: int, ok: bool) -> None:
    headers = signed(at=NOW + timedelta(seconds=seconds))
    assert is_genuine(headers, door(SECRETS[0])) is ok


def test_another_tolerance_may_be_asked_for() -> None:
    headers = signed(at=NOW - timedelta(days=1))
    two_days = timedelta(days=2)
    assert signatures.verify(headers, BODY, door(SECRETS[0]), NOW, two_days).ok


SIGNED = signed()
KEY = base64.b64decode(SECRETS[0].removeprefix("whsec_"))
HEX = hmac.new(KEY, b"msg_1.%d." % NOW.timestamp() + BODY, hashlib.sha256).hexdigest()
WRONG: dict[str, dict[str, str]] = {
    "no headers at all": {},
    "another secret": signed(SECRETS[1]),
    "another body": signed(body=b"{}"),
    "another id": SIGNED | {"webhook-id": "msg_2"},
    "an empty id": SIGNED | {"webhook-id": ""},
    "another time": SIGNED | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
    "a time with a sign": SIGNED | {"webhook-timestamp": f"+{int(NOW.timestamp())}"},
    "a time with a fraction": SIGNED | {"webhook-timestamp": f"{int(NOW.timestamp())}.0"},
    "a time in words": SIGNED | {"webhook-timestamp": NOW.isoformat()},
    "a time in Arabic digits": SIGNED | {"webhook-timestamp": "١٧٦٤٠٠٠٠٠٠"},
    "a time without end": SIGNED | {"webhook-timestamp": "9" * 5000},
    "no time": {name: SIGNED[name] for name in SIGNED if name != "webhook-timestamp"},
    "no id": {name: SIGNED[name] for name in SIGNED if name != "webhook-id"},
    "no signature": {name: SIGNED[name] for name in SIGNED if name != "webhook-signature"},
    "an empty signature": SIGNED | {"webhook-signature": ""},
    "an empty value": SIGNED | {"webhook-signature": "v1,"},
    "another version": SIGNED
    | {"webhook-signature": SIGNED["webhook-signature"].replace("1", "2")},
    "no version": SIGNED | {"webhook-signature": SIGNED["webhook-signature"][3:]},
    "upper-case version": SIGNED | {"webhook-signature": SIGNED["webhook-signature"].upper()},
    "a part of it": SIGNED | {"webhook-signature": SIGNED["webhook-signature"][:-8]},
    "hexadecimal": SIGNED | {"webhook-signature": f"v1,{HEX}"},
    "comma-separated": SIGNED | {"webhook-signature": f"v1,x,{SIGNED['webhook-signature']}"},
    "no letters": SIGNED | {"webhook-signature": "v1,\xff\xfe"},
    "the twenty-first": SIGNED
    | {"webhook-signature": " ".join(["v1,eA=="] * 20 + [SIGNED["webhook-signature"]])},
    "the secret itself as a token": {"authorization": f"Bearer {SECRETS[0]}"},
    "basic": {"authorization": "Basic canary"},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
def test_wrong_is_refused(headers: dict[str, str]) -> None:
    assert not is_genuine(headers, door(SECRETS[0]))


def test_a_closed_source_refuses_even_what_is_signed_with_nothing() -> None:
    empty_key = hmac.digest(b"", b"msg_1.%d." % NOW.timestamp() + BODY, "sha256")
    headers = SIGNED | {"webhook-signature": "v1," + base64.b64encode(empty_key).decode()}
    for given in (headers, SIGNED, {"authorization": "Bearer "}, {"authorization": "Bearer x"}, {}):
        assert not is_genuine(given, Door())
        assert not is_genuine(given, door(SECRETS[1]))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_will_do_for_who_cannot_sign(scheme: str) -> None:
    at_door = door(tokens=("first", "canary-åäö"))
    assert is_genuine({"authorization": f"{scheme} canary-åäö"}, at_door)
    assert is_genuine({"authorization": f"{scheme}  first "}, at_door)


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "canary", "Bearer canar", "Bearer canary2", "Token canary"]
)
def test_another_token_is_refused(value: str) -> None:
    assert not is_genuine({"authorization": value}, door(tokens=("canary",)))


def test_one_genuine_proof_is_enough() -> None:
    both = door(SECRETS[0], tokens=("canary",))
    assert is_genuine(SIGNED | {"authorization": "Bearer wrong"}, both)
    assert is_genuine(signed(SECRETS[1]) | {"authorization": "Bearer canary"}, both)
    assert not is_genuine(signed(SECRETS[1]) | {"authorization": "Bearer wrong"}, both)


def test_a_signature_does_not_open_a_door_that_only_takes_tokens() -> None:
    assert not is_genuine(SIGNED, door(tokens=("canary",)))


def test_the_operator_is_told_which_check_failed() -> None:
    failed = {
        name: signatures.verify(headers, BODY, door(SECRETS[0]), NOW).failed
        for name, headers in WRONG.items()
    }
    assert failed["no id"] == "webhook-id is missing"
    assert failed["no time"] == "webhook-timestamp is not a number of seconds"
    assert failed["another secret"] == "no signature matches a secret"
    assert failed["the secret itself as a token"] == "no bearer token matches"
    assert not any(SECRETS[0] in text for text in failed.values())


@pytest.mark.parametrize(
    ("key", "signed_body", "cause"),
    [
        (SECRETS[0].encode(), BODY, "the secret was used as text"),
        (SECRETS[0].removeprefix("whsec_").encode(), BODY, "the secret was used as text"),
        (None, BODY + b"\n", "the body was changed"),
        (None, b"", "the body alone was signed"),
        (b"another key", BODY, ""),
    ],
)
def test_the_usual_slip_is_named_without_the_secret(
    key: bytes | None, signed_body: bytes, cause: str
) -> None:
    stamp = str(int(NOW.timestamp()))
    key = key or base64.b64decode(SECRETS[0].removeprefix("whsec_"))
    content = f"msg_1.{stamp}.".encode() + signed_body if signed_body else BODY
    value = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp}
    headers["webhook-signature"] = f"v1,{value}"
    assert not signatures.verify(headers, BODY, door(SECRETS[0]), NOW).ok
    said = signatures.likely_cause(headers, BODY, [SECRETS[2], SECRETS[0]])
    assert (said.startswith(cause), bool(said)) == (True, bool(cause))
    assert SECRETS[0].removeprefix("whsec_") not in said


def test_a_source_without_secrets_and_a_header_without_a_signature_are_told_apart() -> None:
    headers = signed()
    only_tokens = signatures.verify(headers, BODY, door(tokens=("t",)), NOW)
    assert only_tokens.failed == "the source takes bearer tokens only, it has no secret"
    empty = signatures.verify(headers | {"webhook-signature": "v2,x"}, BODY, door(SECRETS[0]), NOW)
    assert empty.failed == "webhook-signature has no v1, followed by base64"

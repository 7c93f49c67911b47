"""What a Fortnox error body says: both casings of ErrorInformation, and the gateway's own forms."""

from typing import Any


def told(data: Any) -> tuple[str, str]:
    """(code, message); empty where the body says neither."""
    if not isinstance(data, dict):
        return "", ""
    information = data.get("ErrorInformation")
    if isinstance(information, dict):
        small = {key.lower(): value for key, value in information.items()}
        return str(small.get("code") or ""), str(small.get("message") or "")
    words = data.get("error_description") or data.get("message") or ""
    return str(data.get("error") or ""), str(words)

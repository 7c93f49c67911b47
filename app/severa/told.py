"""What a Severa error body says: the exception type and its messages."""

from typing import Any


def told(data: Any) -> tuple[str, str]:
    """`{"error": {"type", "details": [{"message"}]}}` → (type, messages)."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        return "", ""
    details = error.get("details")
    parts = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    words = "; ".join(str(one["message"]) for one in parts if one.get("message"))
    return str(error.get("type") or ""), words

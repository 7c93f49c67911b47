"""The texts people read: why a transfer stands where it stands, and what happened to it."""

import json
from importlib.resources import files
from typing import Any

REASONS: dict[str, Any] = json.loads((files(__name__) / "reasons.json").read_text("utf-8"))
SENTENCES: dict[str, Any] = json.loads((files(__name__) / "sentences.json").read_text("utf-8"))

"""How records looked, in short: equal only while nothing that we read of them has changed."""

import hashlib
import json
from collections.abc import Sequence

from pydantic import BaseModel


def digest(record: BaseModel, parts: Sequence[BaseModel] = ()) -> str:
    looks = [one.model_dump(mode="json") for one in (record, *parts)]
    return hashlib.sha256(json.dumps(looks, sort_keys=True).encode()).hexdigest()[:32]

"""A short stable text for any value made of plain parts: the key of records, indexes and adapters."""

import hashlib
import json
from typing import Any


def fingerprint(*parts: Any) -> str:
    """Return 16 hex digits of the SHA-256 of the parts as canonical JSON. Sets must be sorted by the caller."""
    canonical = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]

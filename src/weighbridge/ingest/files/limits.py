"""The limits of reading: a file that exceeds them is given up and reported."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """The limits of one reading. MB are millions of bytes; only `memory_mb` is in units of 2**20 bytes."""

    seconds: float = 60.0
    """Wall-clock time for one file, or for one file inside an archive."""
    archive_seconds: float = 600.0
    """Wall-clock time for one archive or mail with all that is inside."""
    memory_mb: int = 1_024
    """Memory that one worker process may take beyond its size at the start."""
    workers: int = 2
    recycled_after: int = 1_000
    """Files until a worker is replaced by a new one: parsers leak memory."""
    file_mb: int = 2_000
    members: int = 10_000
    """Files inside one archive, those in archives inside it counted too."""
    member_mb: int = 200
    unpacked_mb: int = 2_000
    """Unpacked size of all members of one archive together."""
    ratio: int = 300
    """How many times its packed size a member may unpack to, where that is over 10 MB."""
    depth: int = 4
    """How deep archives and mails may lie in one another."""
    failures: int = 5
    """Members of one archive that may crash a parser or exhaust its limits before the rest is left out."""

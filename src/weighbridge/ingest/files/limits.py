"""What reading may cost: a file that asks for more is given up, and said to be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """The limits of one reading. MB are millions of bytes, but for `memory_mb`, which is in units of 2**20 bytes."""

    seconds: float = 60.0
    """Wall-clock time for one file, or for one file inside an archive."""
    archive_seconds: float = 600.0
    """Wall-clock time for one archive or mail with all that is inside."""
    memory_mb: int = 1_024
    """What one worker process may take, over what it has when it starts."""
    workers: int = 2
    recycled_after: int = 1_000
    """Files after which a worker is replaced by a new one."""
    file_mb: int = 2_000
    members: int = 10_000
    """Files inside one archive, those in archives inside it counted too."""
    member_mb: int = 200
    unpacked_mb: int = 2_000
    """What all members of one archive may unpack to."""
    ratio: int = 300
    """How many times its packed size a member may unpack to, where that is over 10 MB."""
    depth: int = 4
    """How deep archives and mails may lie in one another."""
    failures: int = 5
    """Members of one archive that may crash a parser or exhaust its limits before the rest is left out."""

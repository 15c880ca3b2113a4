"""The time that is left of all arms is reckoned from the pace of those that were asked."""

from weighbridge.evaluate.run import RemainingRun
from weighbridge.types import Progress


def test_the_whole_is_what_all_arms_take_at_the_pace_of_this_run() -> None:
    now, told = [0.0], []
    notify = RemainingRun(("rag", "raft"), questions=60, timed=5, workers=2, clock=lambda: now[0]).watch(told.append)

    def ask(arm: str, done: int, at: float) -> str:
        now[0] = at
        notify(Progress(task=f"asking {arm}", done=done, total=60, unit="questions", note="1 failed"))
        return told[-1].note.replace("\u00a0", " ")

    assert ask("rag", 10, 0.0) == "1 failed"  # ten were stored, and nothing is measured yet
    # 2 s a question: 48 of this arm, 60 of the next, and 5 of each to time alone, twice as slow.
    assert ask("rag", 12, 4.0) == f"1 failed, the whole about {(48 + 60 + 20) * 2 / 60:.1f} min"
    # The second arm takes 4 s: the timings come at the mean of both.
    ask("raft", 0, 100.0)
    assert ask("raft", 30, 220.0) == f"1 failed, the whole about {(30 * 4 + 20 * 3) / 60:.1f} min"
    other = Progress(task="timing rag", done=1, total=5)
    notify(other)
    assert told[-1] == other

import time

from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.process import Process


def test_it_starts_answers_and_ends(tmp_path):
    process = Process(ReadingLimits(), tmp_path)
    assert process.receive() == {"ready": True}
    process.allow(float("inf"))
    (tmp_path / "a.txt").write_text("one")
    process.send({"path": str(tmp_path / "a.txt"), "made": str(tmp_path / "made"), "skip": [], "told": []})
    assert process.receive() == {"begun": 0, "name": ""}
    process.bury()
    assert not process.late
    assert process.complaint() == ""


def test_it_is_ended_when_it_is_late(tmp_path):
    process = Process(ReadingLimits(), tmp_path)
    assert process.receive() == {"ready": True}
    process.kill_if_late()
    process.allow(time.monotonic() - 1)
    process.kill_if_late()
    assert process.receive() is None
    process.send({"path": "to nobody"})
    assert process.late
    assert process.bury() == -9


def test_what_it_dies_of_by_itself_is_its_status(tmp_path):
    process = Process(ReadingLimits(), tmp_path)
    assert process.receive() == {"ready": True}
    process.send({"no": "task"})
    assert process.receive() is None
    assert process.bury() == 1

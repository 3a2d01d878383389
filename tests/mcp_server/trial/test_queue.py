from pathlib import Path

from mcp_server.trial.queue import Ticket


def test_the_oldest_waiting_gets_the_next_slot(tmp_path: Path) -> None:
    first, second, third = (Ticket(tmp_path, 1) for _ in range(3))
    assert [t.position() for t in (third, second, first)] == [3, 2, 0]
    assert [t.position() for t in (third, second)] == [2, 1]
    first.release()
    assert third.position() == 2
    assert second.position() == 0
    second.release()
    assert third.position() == 0
    third.release()
    assert list((tmp_path / "queue").iterdir()) == []


def test_a_dead_waiter_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / f"{1:020d}-99").touch()
    ticket = Ticket(tmp_path, 1)
    assert ticket.position() == 0
    ticket.release()


def test_two_slots_serve_two(tmp_path: Path) -> None:
    tickets = [Ticket(tmp_path, 2) for _ in range(3)]
    assert [t.position() for t in tickets] == [0, 0, 1]
    for ticket in tickets:
        ticket.release()

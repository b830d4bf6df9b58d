from ops.simulation.pipe import Pipe


def test_pipe_delivers_what_has_arrived_and_nothing_sooner() -> None:
    pipe: Pipe[str] = Pipe(10)
    pipe.push(5, "early")
    pipe.push(9, "late")
    assert pipe.drain(8, 10) == ["early"]
    assert pipe.drain(9, 10) == ["late"]


def test_pipe_lets_nothing_overtake() -> None:
    pipe: Pipe[str] = Pipe(10)
    assert pipe.push(9, "slow") == 9
    assert pipe.push(3, "fast") == 9
    assert pipe.drain(8, 10) == []
    assert pipe.drain(9, 10) == ["slow", "fast"]


def test_pipe_drops_what_passes_its_high_water_mark() -> None:
    pipe: Pipe[int] = Pipe(2)
    assert [pipe.push(1, number) for number in range(3)] == [1, 1, None]
    assert pipe.dropped == 1
    assert pipe.drain(1, 10) == [0, 1]


def test_pipe_hands_out_no_more_than_asked_for() -> None:
    pipe: Pipe[int] = Pipe(10)
    for number in range(5):
        pipe.push(1, number)
    assert pipe.drain(1, 3) == [0, 1, 2]
    assert len(pipe) == 2

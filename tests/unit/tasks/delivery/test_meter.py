"""What a process counts of its own deliveries names no receiver that few readers share."""

from digest.tasks.delivery.meter import OTHER, TURN_SECONDS, Meter


def test_a_receiver_of_few_readers_counts_as_other() -> None:
    meter = Meter()

    meter.count_replies([("family.example", "2xx")] * 99)

    assert meter.replies == {(OTHER, "2xx"): 99}


def test_a_receiver_is_named_from_its_hundredth_reply_on_and_no_number_ever_falls() -> None:
    meter, before = Meter(), 0

    for _ in range(250):
        meter.count_replies([("large.example", "2xx")])
        assert meter.replies[OTHER, "2xx"] >= before
        before = meter.replies[OTHER, "2xx"]

    assert meter.replies == {(OTHER, "2xx"): 99, ("large.example", "2xx"): 151}


def test_at_most_fifty_receivers_are_named_however_many_there_are() -> None:
    meter = Meter()

    for number in range(80):
        meter.count_replies([(f"large{number}.example", "2xx")] * 150)

    assert len({receiver for receiver, _ in meter.replies}) == 51
    assert sum(meter.replies.values()) == 80 * 150


def test_a_million_domains_of_one_reader_each_take_bounded_memory() -> None:
    meter = Meter()

    for number in range(30_000):
        meter.count_replies([(f"d{number}.example", "5xx")])

    assert meter.replies == {(OTHER, "5xx"): 30_000}
    assert len(meter._pending) <= 10_000


def test_a_turn_counts_in_the_class_of_its_seconds() -> None:
    meter = Meter()

    for seconds in (0.0005, 0.001, 0.0011, 99.0):
        meter.count_turn(seconds, {"accepted": 2, "failed": 0})

    assert meter.turns[0] == 2
    assert meter.turns[1] == 1
    assert meter.turns[len(TURN_SECONDS)] == 1
    assert meter.states == {"accepted": 8}

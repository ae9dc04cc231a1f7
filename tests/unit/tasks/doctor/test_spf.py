"""SPF records followed: what they allow, what they cost, and what receivers take for an error."""

import pytest

from digest.models.status import Status
from digest.net.dns import Records
from digest.tasks.doctor.scope import Senders
from digest.tasks.doctor.spf import judge_records, judge_senders, judge_spf
from digest.tasks.doctor.spf_record import Spf, SpfError, SpfTree

OURS, SIX, ANOTHER = "192.0.2.25", "2001:db8::25", "203.0.113.9"


class Names:
    """A resolver that knows what it is given and counts what it is asked."""

    def __init__(self, **texts: str) -> None:
        self.records = {name.replace("_", "."): Records((text,)) for name, text in texts.items()}
        self.hosts = {"courier.example": Records(("a.courier.example", "b.courier.example"))}
        self.ips = {
            "a.courier.example": Records(("192.0.2.20",)),
            "b.courier.example": Records((OURS, SIX)),
            "courier.example": Records((OURS,)),
        }

    def texts(self, name: str) -> Records:
        return self.records.get(name, Records())

    def mail_hosts(self, name: str) -> Records:
        return self.hosts.get(name, Records())

    def addresses(self, name: str) -> Records:
        return self.ips.get(name, Records())


def follow(record: str, **texts: str) -> Spf:
    names = Names(**texts)
    return SpfTree(names, (OURS, SIX, ANOTHER)).follow("courier.example", f"v=spf1 {record}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "ours", "six", "another"),
    [
        ("ip4:192.0.2.25 -all", "pass", "fail", "fail"),
        ("ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", "pass", "pass", "softfail"),
        ("mx -all", "pass", "pass", "fail"),
        ("a -all", "pass", "fail", "fail"),
        ("A:a.courier.example/24 -all", "pass", "fail", "fail"),
        ("a:b.courier.example/32//64 -all", "pass", "pass", "fail"),
        ("?ip4:192.0.2.25 -all", "neutral", "fail", "fail"),
        ("-ip4:192.0.2.25 +all", "fail", "pass", "pass"),
        ("-all ip4:192.0.2.25", "fail", "fail", "fail"),
        ("include:inner.example -all", "pass", "fail", "fail"),
        ("~include:inner.example -all", "softfail", "fail", "fail"),
        ("redirect=inner.example", "pass", "fail", "fail"),
        ("redirect=inner.example ip6:2001:db8::25", "pass", "pass", "fail"),
        ("exp=why.courier.example -all", "fail", "fail", "fail"),
    ],
)
def test_a_record_says_what_it_says_of_an_address(record: str, ours: str, six: str, another: str) -> None:
    found = follow(record, inner_example="v=spf1 ip4:192.0.2.25 -all")
    assert (found.results[OURS], found.results[SIX], found.results[ANOTHER]) == (ours, six, another)


def test_what_an_included_record_fails_is_not_failed_by_the_outer_one() -> None:
    found = follow("include:inner.example", inner_example="v=spf1 -all")
    assert found.results == {}
    assert found.ending == ""


def test_look_ups_are_counted_over_the_whole_tree() -> None:
    found = follow(
        "a mx include:inner.example ip4:192.0.2.1 -all", inner_example="v=spf1 a:a.courier.example ~all"
    )
    assert found.lookups == 4


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (" ".join(["a"] * 11) + " -all", "needs more than 10 DNS look-ups"),
        ("include:loop.example -all", "needs more than 10 DNS look-ups"),
        ("redirect=round.example", "needs more than 10 DNS look-ups"),
        ("include:nowhere.example -all", "nowhere.example is included and has no SPF record"),
        ("a:x.example a:y.example a:z.example -all", "more than 2 look-ups find nothing"),
        ("ip4:192.0.2.999 -all", '"ip4:192.0.2.999" names no network'),
        ("a:b.courier.example/99 -all", "names no network"),
        ("ipv4:192.0.2.1 -all", '"ipv4:192.0.2.1" is not a term of SPF'),
        ("include -all", '"include" names no domain'),
    ],
)
def test_what_receivers_cannot_evaluate_is_an_error(record: str, says: str) -> None:
    with pytest.raises(SpfError) as error:
        follow(
            record,
            loop_example="v=spf1 include:loop.example -all",
            round_example="v=spf1 redirect=round.example",
        )
    assert says in str(error.value)


def test_trouble_below_is_named() -> None:
    names = Names()
    names.records["inner.example"] = Records.unknown("the resolver fails")
    with pytest.raises(SpfError, match=r"inner\.example: the resolver fails"):
        SpfTree(names, ()).follow("courier.example", "v=spf1 include:inner.example -all")  # type: ignore[arg-type]


def test_what_depends_on_the_message_is_not_guessed() -> None:
    found = follow("exists:%{i}.allowed.example -all")
    assert found.unsure
    senders = Senders((OURS,), certain=True)
    (finding,) = judge_senders("courier.example", senders, found)
    assert finding.status is Status.WARN


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (Spf(ending="-"), Status.OK),
        (Spf(ending="~"), Status.OK),
        (Spf(ending="?"), Status.WARN),
        (Spf(ending=""), Status.WARN),
        (Spf(ending="-", uses_ptr=True), Status.WARN),
        (Spf(ending="+"), Status.FAIL),
    ],
)
def test_a_record_is_judged_by_whom_it_keeps_out(found: Spf, status: Status) -> None:
    assert judge_spf("courier.example", found).status is status


def test_other_txt_records_do_not_count_and_two_spf_records_do_not_either() -> None:
    assert judge_records("x.example", Records(("site=1", "v=spf10 -all", "v=spf1 -all"))) is None
    assert judge_records("x.example", Records(("v=spf1 -all", "V=SPF1"))) is not None
    assert judge_records("x.example", Records.unknown("the resolver fails")) is not None


@pytest.mark.parametrize(
    ("senders", "result", "status"),
    [
        (Senders((OURS,), certain=True), "pass", Status.OK),
        (Senders((OURS,), certain=True), "softfail", Status.FAIL),
        (Senders((OURS,), certain=False), "fail", Status.WARN),
        (Senders((), certain=True), "pass", Status.WARN),
    ],
)
def test_an_address_that_is_only_guessed_never_fails(senders: Senders, result: str, status: Status) -> None:
    (finding,) = judge_senders("x.example", senders, Spf(results={OURS: result}))
    assert finding.status is status

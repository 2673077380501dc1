"""Revocation lists are fetched by schedule, and only a newer one that is believed is kept."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlmodel import select

from inbox.errors import Unavailable
from inbox.simulator.packages.certificates import CRL_URL, TestAuthority
from inbox.tables import FetchedList, ListAddress
from inbox.trust.crl_download import CrlDownloader, build_http_client, is_list_address
from inbox.trust.crl_schedule import FetchResult
from inbox.trust.trust_store import TrustStore
from tests.package.signature.signatures import intermediate, list_with_sha1
from tests.trickle_server import Trickle, trickling
from tests.trust.crl_publisher import NO_TLS, Publisher, asking, publishing
from tests.worlds import World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWS, NOTHING_NEW = FetchResult(new=1, failed=()), FetchResult(new=0, failed=())


def fetch(world: World, *addresses: str, seconds: float = 20) -> FetchResult:
    """One round an hour later, so that every address is due."""
    world.clock.advance(HOUR)
    with asking(*addresses, seconds=seconds) as schedule:
        return schedule.fetch_due(world.line.store, world.line.trust.current())


def kept(world: World) -> list[bytes]:
    with world.line.store.reading() as tx:
        return list(tx.exec(select(FetchedList.der)))


def addresses(world: World) -> list[ListAddress]:
    with world.line.store.reading() as tx:
        return list(tx.exec(select(ListAddress)))


def crl(world: World, *, made: timedelta = timedelta(0)) -> bytes:
    return world.authority.crl(world.clock.now + made)


def test_fetched_revocation_list_is_trusted_beside_those_of_the_folder(world: World) -> None:
    with publishing(crl(world)) as publisher:
        found = fetch(world, publisher.address)

    with world.line.store.reading() as tx:
        lists = world.line.trust.current_trust(tx).lists
    assert found == NEWS
    assert [each.der for each in lists] == [
        (world.folder / "trust" / "root.crl").read_bytes(),
        publisher.body,
    ]


def test_revocation_list_address_is_queried_only_when_due(small_world: World) -> None:
    with publishing(crl(small_world)) as publisher, asking(publisher.address) as schedule:
        store, trust = small_world.line.store, small_world.line.trust.current()

        rounds = [schedule.fetch_due(store, trust) for _ in range(3)]
        assert len(publisher.asked) == 1
        small_world.clock.advance(HOUR)
        rounds.append(schedule.fetch_due(store, trust))

    assert len(publisher.asked) == 2
    assert rounds == [NEWS, NOTHING_NEW, NOTHING_NEW, NOTHING_NEW]


def test_newer_revocation_list_replaces_an_older_one(world: World) -> None:
    with publishing(crl(world)) as publisher:
        fetch(world, publisher.address)
        publisher.body = crl(world)

        assert fetch(world, publisher.address) == NEWS

    assert kept(world) == [publisher.body]


def garbage(publisher: Publisher, _: World) -> None:
    publisher.body = b"<html>no list</html>"


def cut_short(publisher: Publisher, world: World) -> None:
    publisher.body, publisher.cut = crl(world), True


def missing(publisher: Publisher, world: World) -> None:
    publisher.body, publisher.status = crl(world), 404


def redirected(publisher: Publisher, world: World) -> None:
    publisher.body, publisher.status = crl(world), 302
    publisher.headers = ((b"location", publisher.address.encode()),)


def too_large(publisher: Publisher, world: World) -> None:
    publisher.body = crl(world) + bytes(200_000)


def slow(publisher: Publisher, world: World) -> None:
    publisher.body, publisher.drip_seconds = crl(world), 0.02


def older(publisher: Publisher, world: World) -> None:
    publisher.body = crl(world, made=-DAY)


def ahead(publisher: Publisher, world: World) -> None:
    publisher.body = crl(world, made=DAY)


def of_somebody_else(publisher: Publisher, _: World) -> None:
    publisher.body = intermediate().revocations.der


def forged(publisher: Publisher, world: World) -> None:
    good = crl(world)
    publisher.body = good[:-1] + bytes([good[-1] ^ 1])


def weakly_signed(publisher: Publisher, world: World) -> None:
    publisher.body = list_with_sha1(crl(world))


def lower_number(publisher: Publisher, world: World) -> None:
    now = world.clock.now
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=world.authority.root.subject, last_update=now, next_update=now + DAY
    ).add_extension(x509.CRLNumber(1), critical=False)
    made = builder.sign(world.authority._key, hashes.SHA256())
    publisher.body = made.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (garbage, "trust.list_garbage"),
        (cut_short, "trust.list_away"),
        (missing, "trust.list_status"),
        (redirected, "trust.list_status"),
        (too_large, "trust.list_too_large"),
        (slow, "trust.list_slow"),
        (older, "trust.list_older"),
        (lower_number, "trust.list_older"),
        (ahead, "trust.list_future"),
        (of_somebody_else, "trust.list_issuer"),
        (forged, "trust.list_issuer"),
        (weakly_signed, "trust.list_issuer"),
    ],
)
def test_invalid_revocation_list_answer_is_noted_and_the_stored_list_kept(
    small_world: World, fault: Callable[[Publisher, World], None], code: str
) -> None:
    with publishing(crl(small_world)) as publisher:
        good = publisher.body
        fetch(small_world, publisher.address)
        fault(publisher, small_world)

        found = fetch(small_world, publisher.address, seconds=0.2 if fault is slow else 20)

        assert found == FetchResult(new=0, failed=(code,))
        assert kept(small_world) == [good]
        assert [row.code for row in addresses(small_world)] == [code]
        publisher.__init__(crl(small_world), url=publisher.url)  # type: ignore[misc] # well again
        assert fetch(small_world, publisher.address) == NEWS
        assert [row.code for row in addresses(small_world)] == [None]


def test_unreachable_list_server_leaves_the_stored_revocation_list(small_world: World) -> None:
    with publishing(crl(small_world)) as publisher:
        fetch(small_world, publisher.address)

    found = fetch(small_world, publisher.address)

    assert found == FetchResult(new=0, failed=("trust.list_away",))
    assert kept(small_world) == [publisher.body]


def test_list_of_another_trusted_authority_does_not_replace_the_stored_list(
    small_world: World,
) -> None:
    other = TestAuthority(valid_from=small_world.clock.now - 30 * DAY, name="Another Root")
    (small_world.folder / "trust" / "other.pem").write_bytes(other.root_pem())
    with publishing(crl(small_world)) as publisher:
        right = publisher.body
        fetch(small_world, publisher.address)
        publisher.body = other.crl(small_world.clock.now)
        assert fetch(small_world, publisher.address) == NEWS

    assert set(kept(small_world)) == {right, publisher.body}


def test_list_addresses_come_from_operator_and_trust_folder_never_from_a_sender(
    small_world: World,
) -> None:
    trust = small_world.folder / "trust"
    named = small_world.authority.issue("910077473").certificate
    (trust / "issuing.intermediate.pem").write_bytes(named.public_bytes(Encoding.PEM))
    with asking("http://listed.test.invalid/a.crl", "ftp://listed.test.invalid/b") as schedule:
        with_folder = schedule.addresses(small_world.line.trust.current())
        (trust / "issuing.intermediate.pem").unlink()
        small_world.send()
        small_world.collect()
        small_world.work()
        without = schedule.addresses(small_world.line.trust.current())

    assert with_folder == ("http://listed.test.invalid/a.crl", CRL_URL)
    assert without == ("http://listed.test.invalid/a.crl",)


@pytest.mark.parametrize(
    "text", ["", "file:///etc/passwd", "ldap://x/y", "http://", "http://a@b/c", "http://[::1"]
)
def test_revocation_list_address_must_be_a_plain_web_url(text: str) -> None:
    assert not is_list_address(text)
    assert is_list_address("http://crl.test.invalid/x.crl")


def test_unlisted_address_is_deleted_with_its_revocation_list(small_world: World) -> None:
    with publishing(crl(small_world)) as publisher:
        fetch(small_world, publisher.address)

    assert fetch(small_world) == NOTHING_NEW

    assert kept(small_world) == []
    assert addresses(small_world) == []


def test_only_one_of_several_workers_fetches_a_due_address(world: World) -> None:
    with publishing(crl(world)) as publisher, asking(publisher.address) as schedule:
        store, trust = world.line.store, world.line.trust.current()
        schedule.fetch_due(store, trust)
        publisher.asked.clear()
        world.clock.advance(HOUR)
        publisher.body, publisher.drip_seconds = b"no list", 0.03
        begin, found = threading.Barrier(4), []

        def work() -> None:
            begin.wait()
            found.append(schedule.fetch_due(store, trust))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(publisher.asked) == 1
    assert sorted(each.failed for each in found) == [(), (), (), ("trust.list_garbage",)]


def test_interrupted_fetch_of_a_revocation_list_is_retried_after_five_minutes(
    small_world: World,
) -> None:
    with publishing(crl(small_world)) as publisher, asking(publisher.address) as schedule:
        store, trust = small_world.line.store, small_world.line.trust.current()
        publisher.cut = True
        schedule.fetch_due(store, trust)
        publisher.cut = False
        assert schedule.fetch_due(store, trust) == NOTHING_NEW

        small_world.clock.advance(timedelta(minutes=5))

        assert schedule.fetch_due(store, trust) == NEWS


def test_missing_trust_folder_raises_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"trust\.folder"):
        TrustStore(tmp_path / "unmounted").current()


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", b"\r\nContent-Length: 0\r\n\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Slow: ", b"a", b"\r\n\r\n"),
    ],
    ids=["header", "continue", "trailer"],
)
def test_list_that_comes_a_byte_at_a_time_is_cut_off_at_the_deadline(
    head: bytes, piece: bytes, tail: bytes
) -> None:
    trickle = Trickle(head=head, piece=piece, tail=tail)

    with trickling(trickle), build_http_client(tls=NO_TLS) as client:
        downloader = CrlDownloader(client, patience=timedelta(seconds=0.3))
        with pytest.raises(Unavailable, match=r"trust\.list_slow"):
            downloader.fetch(f"{trickle.url}/issuer.crl")

    assert trickle.given[0] < trickle.pieces / 2

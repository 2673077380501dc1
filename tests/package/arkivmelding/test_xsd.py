"""arkivmelding.xml against published schemas: said in the verdict, never refused."""

import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inbox.domain import MessageState
from inbox.errors import ConfigurationError
from inbox.package.arkivmelding.reader import NAMESPACE
from inbox.package.arkivmelding.xsd import SchemaResult, Schemas
from inbox.wiring import read_schemas
from tests.package_builder import letter, opened, pack
from tests.worlds import World

CATALOGUE = "http://www.arkivverket.no/standarder/noark5/metadatakatalog"
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
MAIN = f"""<xs:schema {XS} xmlns="{NAMESPACE}" xmlns:k="{CATALOGUE}" targetNamespace="{NAMESPACE}"
 elementFormDefault="qualified">
<xs:import namespace="{CATALOGUE}" schemaLocation="katalog.xsd"/>
<xs:element name="arkivmelding"><xs:complexType><xs:sequence>
<xs:element name="system" type="k:system"/>
<xs:element name="mappe" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>""".encode()
KATALOG = f"""<xs:schema {XS} targetNamespace="{CATALOGUE}">
<xs:simpleType name="system"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>""".encode()
FILES = {"arkivmelding.xsd": MAIN, "katalog.xsd": KATALOG}


def fit(inner: str, files: dict[str, bytes] | None = None) -> SchemaResult:
    raw = f'<arkivmelding xmlns="{NAMESPACE}">{inner}</arkivmelding>'
    return Schemas(files or FILES).validate(raw.encode())


def test_schema_misfit_is_reported_only_by_element_names_of_the_schema() -> None:
    assert fit("<system>1</system><mappe/>") == SchemaResult(fits=True)
    assert fit("<system>Kari</system>") == SchemaResult(fits=False, places=("system",))
    assert fit("<mappe/>") == SchemaResult(fits=False, places=("mappe",))
    assert fit("<KariNordmann/>") == SchemaResult(fits=False, places=())


def test_arkivmelding_fits_when_one_of_several_schemas_fits() -> None:
    other = MAIN.replace(b'name="mappe"', b'name="registrering"')
    files = FILES | {"b.xsd": other}

    assert fit("<system>1</system><mappe/>", files).fits
    assert fit("<system>1</system><registrering/>", files).fits
    assert not fit("<system>1</system><annet/>", files).fits


def test_message_that_does_not_fit_the_schema_is_opened_anyway() -> None:
    raw = pack(files={"arkivmelding.xml": letter(), "brev.pdf": b"%PDF"})
    utf16 = letter().decode().replace("UTF-8", "UTF-16").encode("utf-16")
    other = pack(files={"arkivmelding.xml": utf16, "brev.pdf": b"%PDF"})

    asked = opened(raw, schemas=Schemas(FILES)).verdict
    assert (asked.schema, asked.schema_places, asked.code) == (False, ("system",), None)
    assert opened(raw).verdict.schema is None
    assert opened(other, schemas=Schemas(FILES)).verdict.schema_places == ("system",)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "schemas.none"),
        ({"katalog.xsd": KATALOG}, "schemas.none"),
        ({"arkivmelding.xsd": b"<!DOCTYPE a>" + MAIN}, "schemas.none"),
        ({"arkivmelding.xsd": MAIN}, "schemas.broken"),
        ({"arkivmelding.xsd": MAIN, "katalog.xsd": b"<!DOCTYPE a>" + KATALOG}, "schemas.broken"),
        (FILES | {"arkivmelding.xsd": MAIN.replace(b"k:system", b"k:none")}, "schemas.broken"),
        (FILES | {"other.xsd": b"no XML", "dsig.xsd": b"<!DOCTYPE a><a/>"}, None),
    ],
)
def test_schemas_folder_without_usable_schemas_is_refused(
    files: dict[str, bytes], code: str | None
) -> None:
    if code is None:
        assert (
            Schemas(files).validate(f'<arkivmelding xmlns="{NAMESPACE}"/>'.encode()).fits is False
        )
        return
    with pytest.raises(ConfigurationError) as refused:
        Schemas(files)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "inner",
    [
        lambda: "<system>x</system>" * 190_000,
        lambda: "<system>1</system>" + "<mappe/>" * 190_000,
        lambda: "<system>" + "1" * 4_900_000 + "</system>",
        lambda: "<system>1</system><mappe>" + "<x y='z'/>" * 190_000 + "</mappe>",
    ],
)
def test_schema_comparison_is_bounded_in_time_and_memory(inner: Callable[[], str]) -> None:
    raw = inner()
    tracemalloc.start()
    started = time.process_time()

    found = fit(raw)

    spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.places) <= 20
    assert spent < 2
    assert peak < 64 << 20


def test_schema_misfit_names_at_most_twenty_places() -> None:
    words = "".join(f'<xs:element name="w{number}" type="xs:int"/>' for number in range(40))
    main = MAIN.replace(b'<xs:element name="mappe"', words.encode() + b'<xs:element name="mappe"')
    inner = "<system>1</system>" + "".join(f"<w{number}>x</w{number}>" for number in range(40))

    found = fit(inner, FILES | {"arkivmelding.xsd": main})

    assert found.places == tuple(f"w{number}" for number in range(20))


def test_schema_comparison_stops_early_when_there_are_many_errors() -> None:
    many = MAIN.replace(b'name="mappe"', b'name="mappe" type="xs:int"')
    raw = "<system>1</system>" + "<mappe>x</mappe>" * 190_000
    started = time.process_time()

    fit(raw, {"katalog.xsd": KATALOG, "a.xsd": many})

    assert time.process_time() - started < 0.5


def test_line_records_the_fit_with_the_schemas_folder_in_the_verdict(
    tmp_path: Path, small_world: World
) -> None:
    folder = tmp_path / "schemas"
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="no file in the folder"):
        read_schemas(folder)
    for name, raw in FILES.items():
        (folder / name).write_bytes(raw)
    (folder / "README.txt").write_text("not a schema")
    small_world.line = replace(small_world.line, schemas=read_schemas(folder))

    wire_id = small_world.send()
    small_world.collect()
    small_world.work()

    message = small_world.message(wire_id)
    assert message.state is MessageState.OFFERED
    verdict = json.loads(message.verdict or "{}")
    assert (verdict["schema"], verdict["schema_places"]) == (False, ["system"])


@pytest.mark.samples
def test_published_schemas_fit_all_published_samples_except_three(samples: Path) -> None:
    schemas = Schemas({path.name: path.read_bytes() for path in (samples / "xsd").glob("*.xsd")})

    fits = {
        path.name: schemas.validate(path.read_bytes()).fits
        for folder in ("arkivmelding", "composed")
        for path in (samples / folder).glob("*.xml")
    }

    assert {name for name, it in fits.items() if not it} == {
        "arkivmelding_error.xml",
        "avtaltmelding_nav_v2.xml",
        "arkivmelding_svarinn_like.xml",
    }
    assert schemas.validate(letter()).fits

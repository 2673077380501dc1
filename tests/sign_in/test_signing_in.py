"""Signing in as people do: there and back, a first time, more strongly, out, and on time."""

import html
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlmodel import col, select

from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.directory.people import issue_code
from inbox.directory.proposal import Credentials
from inbox.health.current import working_conditions
from inbox.language import TextLanguage
from inbox.sign_in.binding_codes import issue_binding_code
from inbox.sign_in.expiry import clean_sign_ins
from inbox.sign_in.oidc.provider_terms import ProviderKind, StrengthTable
from inbox.sign_in.sessions import read_session
from inbox.simulator.identity_provider.parties import ANSATTPORTEN, ENTRA, ID_PORTEN, Manners
from inbox.simulator.identity_provider.wrong_answers import WrongAnswer
from inbox.tables import WrappedKey
from inbox.web.people.forms import form_token
from inbox.web.people.sign_in.visitors import visitor_for
from tests.municipality import PEOPLE_THAT_ARE_MISSING
from tests.sign_in.office import PUBLIC, Office, Person, office, parameters, path_of
from tests.worlds import World

TID = "11111111-2222-4333-8444-555555555555"
OID = "99999999-2222-4333-8444-000000000001"


def binding_code(house: Office, person: str) -> str:
    line = house.world.line
    reviewer = read_directory(b'organisation = "910075918"\n' + PEOPLE_THAT_ARE_MISSING)
    with line.store.transaction() as tx:
        import_agreed(line, tx, reviewer, approved_by="anne+bjorn")
        codes = {each: issue_code(tx, each) for each in ("anne", "bjorn")}
    by, approver = (Credentials(person=each, code=code) for each, code in codes.items())
    return issue_binding_code(line, by, approver, person)


def test_person_signs_in_and_comes_back_to_the_page(both: Office) -> None:
    anne = both.person()
    asked = anne.get("/side")
    assert (asked.status_code, asked.headers["location"]) == (303, "/logg-inn?til=/side")

    back = anne.sign_in()

    assert (back.status_code, back.headers["location"]) == (303, "/side")
    assert anne.get("/side").text == "Anne Arkivar False"
    assert [event for event, _ in both.audit() if event == "session:began"]


def test_sign_in_page_has_a_link_and_no_form_to_the_provider(house: Office) -> None:
    page = house.person().get("/logg-inn?til=/side").text

    assert 'href="/logg-inn/med/p?til=/side"' in page
    assert ">Logg inn</a>" in page


def test_session_cookie_is_for_this_host_over_tls_and_for_no_script(house: Office) -> None:
    back = house.person().sign_in()

    (cookie,) = [c for c in back.headers.get_list("set-cookie") if c.startswith("__Host-okt=")]
    said = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert said == {"httponly", "path=/", "samesite=lax", "secure"}


def test_provider_is_asked_with_a_challenge_a_state_and_a_nonce(house: Office) -> None:
    asked = parameters(house.person().leave())

    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{PUBLIC}/oidc/callback"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


@pytest.mark.parametrize(
    ("manners", "kind", "claims", "subject"),
    [
        (ID_PORTEN, ProviderKind.IDPORTEN, {"pid": "01010112345"}, "pid:01010112345"),
        (ANSATTPORTEN, ProviderKind.ANSATTPORTEN, {"pid": "01010112345"}, "pid:01010112345"),
        (ENTRA, ProviderKind.ENTRA, {"tid": TID, "oid": OID}, f"oid:{TID}/{OID}"),
    ],
    ids=["idporten", "ansattporten", "entra"],
)
def test_person_is_known_by_the_claims_of_the_kind_of_provider(
    small_world: World,
    manners: Manners,
    kind: ProviderKind,
    claims: dict[str, object],
    subject: str,
) -> None:
    with office(small_world, manners=manners, kind=kind, claims={"anne": claims}) as made:
        made.bind("anne", subject=subject)
        anne = made.person()
        anne.sign_in()

        assert anne.get("/side").text.startswith("Anne")


def test_no_row_has_the_national_id(small_world: World) -> None:
    claims = {"anne": {"pid": "01010112345"}}
    with office(small_world, manners=ID_PORTEN, kind=ProviderKind.IDPORTEN, claims=claims) as made:
        made.bind("anne", subject="pid:01010112345")
        made.person().sign_in()

    for path in small_world.folder.glob("inbox.db*"):
        assert b"01010112345" not in path.read_bytes()


def test_unknown_identity_is_bound_by_a_code_that_two_have_issued_and_only_once(
    both: Office,
) -> None:
    code = binding_code(both, "kari")
    kari, other = both.person(), both.person()
    assert kari.sign_in("kari").headers["location"] == "/knytt"
    assert not kari.is_in()

    bound = kari.post("/knytt", {"kode": f" {code.upper()} "})

    assert bound.headers["location"] == "/side"
    assert kari.get("/side").text.startswith("Kari")
    assert both.world.open_tasks("kari") == {"identity"}
    assert other.sign_in("nobody").headers["location"] == "/knytt"
    again = other.post("/knytt", {"kode": code})
    assert again.status_code == 403
    assert "brukt eller for gammel" in again.text
    kari_again = both.person()
    kari_again.sign_in("kari")
    assert kari_again.is_in()


def test_wrong_codes_end_the_first_sign_in_after_five(house: Office) -> None:
    code = binding_code(house, "kari")
    kari = house.person()
    kari.sign_in("kari")
    for _ in range(5):
        kari.post("/knytt", {"kode": "aaaa-bbbb"})

    late = kari.post("/knytt", {"kode": code})

    assert late.status_code == 403
    assert not kari.is_in()


def test_binding_code_expires_after_a_week(house: Office) -> None:
    code = binding_code(house, "kari")
    house.world.clock.advance(timedelta(days=7))
    kari = house.person()
    kari.sign_in("kari")

    assert kari.post("/knytt", {"kode": code}).status_code == 403


def test_new_identity_ends_the_sessions_of_the_person(house: Office) -> None:
    code = binding_code(house, "anne")
    anne, at_another = house.person(), house.person()
    anne.sign_in()
    at_another.sign_in("kari")

    at_another.post("/knytt", {"kode": code})

    assert not anne.is_in()
    assert at_another.get("/side").text.startswith("Anne")


def acts(person: Person, reason: str = "fordi") -> tuple[int, str]:
    session = person.get("/handling").text.rsplit("|", 1)[1]
    token = _form_token(person, session)
    fields = {"grunn": reason, "_skjema": token, "_tilbake": "/handling"}
    answer = person.post("/handling", fields)
    link = re.search(r'href="(/logg-inn/sterk[^"]*)"', answer.text)
    return answer.status_code, "" if link is None else html.unescape(link[1])


def _form_token(person: Person, session: str) -> str:
    line, cookie = person.office.world.line, person.cookie
    assert cookie is not None
    with line.store.reading() as tx:
        live = read_session(tx, tx.now, cookie)
    assert live is not None
    assert live.id == session
    visitor = visitor_for(line, live, TextLanguage.NB)
    return form_token(visitor, "/handling", person.office.world.clock.now)


def test_step_up_comes_back_to_the_form_with_what_was_typed(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    before = anne.cookie

    status, to = acts(anne, "hun ba om det")
    assert status == 403
    assert to.startswith("/logg-inn/sterk?til=/handling%3Fkladd%3D")
    leaving = anne.get(to)
    asked = parameters(leaving.headers["location"])
    assert (asked["acr_values"], asked["max_age"]) == ("2", "900")
    back = anne.get(anne.choose(leaving.headers["location"], "anne"))

    assert anne.cookie != before
    assert anne.get(back.headers["location"]).text.split("|")[1] == "hun ba om det"
    assert acts(anne)[0] == 200
    both.world.clock.advance(timedelta(minutes=15))
    assert acts(anne)[0] == 403


def test_nobody_is_strong_where_the_settings_call_nothing_strong(small_world: World) -> None:
    with office(small_world, strength=StrengthTable()) as made:
        made.bind("anne")
        anne = made.person()
        anne.sign_in()
        _, to = acts(anne)
        leaving = anne.get(to).headers["location"]

        refused = anne.get(anne.choose(leaving, "anne"))

        assert refused.status_code == 403
        assert "sterk nok" in refused.text
        assert anne.get("/side").text == "Anne Arkivar False"


def test_typed_text_outlives_the_session_and_comes_back_to_its_person_only(
    both: Office,
) -> None:
    anne, bjorn = both.person(), both.person()
    anne.sign_in()
    session = anne.get("/handling").text.rsplit("|", 1)[1]
    fields = {
        "grunn": "etter lunsj",
        "_skjema": _form_token(anne, session),
        "_tilbake": "/handling",
    }
    both.world.clock.advance(timedelta(minutes=45))

    late = anne.post("/handling", fields)

    assert late.status_code == 401
    link = late.text.partition('href="/logg-inn?til=')[2].partition('"')[0].replace("%3F", "?")
    form = link.replace("%3D", "=")
    bjorn.sign_in("bjorn", back=form)
    assert bjorn.get(form).text.split("|")[1] == ""
    anne.sign_in(back=form)
    assert anne.get(form).text.split("|")[1] == "etter lunsj"


def test_person_who_is_switched_off_at_the_provider_is_out_within_the_hour(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    both.provider.disable("p-anne")
    for _ in range(3):
        both.world.clock.advance(timedelta(minutes=20))
        answer = anne.get("/side")

    assert parameters(answer.headers["location"])["prompt"] == "none"
    ended = anne.get(_back(anne, answer.headers["location"]))
    assert ended.headers["location"] == "/logg-inn?til=/side"
    assert not anne.is_in()


def _back(person: Person, address: str) -> str:
    return path_of(person.there.get(address, follow_redirects=False).headers["location"])


def test_person_who_is_still_signed_in_there_notices_nothing(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    for _ in range(3):
        both.world.clock.advance(timedelta(minutes=20))
        answer = anne.get("/side")

    back = anne.get(_back(anne, answer.headers["location"]))

    assert back.headers["location"] == "/side"
    assert anne.is_in()


def test_provider_that_is_away_ends_no_session_and_is_a_condition(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    both.provider.wrong.stage(WrongAnswer.AWAY)
    for _ in range(3):
        both.world.clock.advance(timedelta(minutes=20))
        answer = anne.get("/side")

    assert answer.status_code == 200
    found = {each.subject: each.code for each in working_conditions(both.world.line)}
    assert found["provider:p"] == "provider.status"
    both.provider.wrong.calm()
    both.world.clock.advance(timedelta(minutes=6))
    assert anne.get("/side").status_code == 303


def test_nobody_is_sent_to_a_provider_that_is_away(house: Office) -> None:
    anne = house.person()
    anne.sign_in()
    house.world.clock.advance(timedelta(minutes=1))
    house.provider.wrong.stage(WrongAnswer.AWAY)

    for path in ("/logg-inn/med/p", "/logg-inn/sterk"):
        answer = anne.get(path)
        assert answer.status_code == 503
        assert "Innloggingstjenesten svarer ikke" in answer.text
    found = {each.subject: each.code for each in working_conditions(house.world.line)}
    assert found["provider:p"] == "provider.status"
    assert anne.is_in()


def test_expired_sign_in_page_raises_no_condition(house: Office) -> None:
    anne = house.person()
    asked = parameters(anne.leave())

    answer = anne.get(
        f"/oidc/callback?error=temporarily_unavailable&error_description=authentication_expired"
        f"&state={asked['state']}&iss={quote(house.provider.issuer)}"
    )

    assert answer.status_code == 403
    assert "Innloggingen ble ikke fullført" in answer.text
    found = {each.subject for each in working_conditions(house.world.line)}
    assert "provider:p" not in found


def test_form_is_refused_long_after_the_provider_was_asked(house: Office) -> None:
    anne = house.person()
    anne.sign_in()
    session = anne.get("/handling").text.rsplit("|", 1)[1]
    for _ in range(3):
        house.world.clock.advance(timedelta(minutes=25))
        anne.post("/handling", {"_skjema": _form_token(anne, session), "_tilbake": "/handling"})
    answer = anne.post("/handling", {"_skjema": "x", "_tilbake": "/handling"})

    assert answer.status_code == 401


def test_sign_out_ends_the_session_and_links_to_the_providers_own(both: Office) -> None:
    anne = both.person()
    anne.sign_in()
    cookie = anne.cookie

    out = anne.post("/logg-ut", {"_skjema": anne.token("/okter", "/logg-ut")})

    assert "Du er logget ut" in out.text
    assert "post_logout_redirect_uri" in out.text
    assert "id_token" not in out.text
    anne.pages.cookies.set("__Host-okt", cookie or "")
    assert not anne.is_in()


def test_personal_code_signs_in_only_where_the_setting_says_so(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        code = issue_code(tx, "anne")
    fields = {"person": "anne", "kode": code, "til": "/side"}
    with office(small_world) as closed:
        refused = closed.person()
        assert refused.post("/logg-inn/kode", fields).status_code == 403
        assert not refused.is_in()

    with office(small_world, takes_codes=True) as opened:
        anne = opened.person()
        assert anne.post("/logg-inn/kode", {**fields, "kode": "x"}).status_code == 403
        assert anne.post("/logg-inn/kode", fields).headers["location"] == "/side"
        assert anne.get("/side").text == "Anne Arkivar True"


def test_cleaning_ends_idle_sessions_and_takes_everything_away_in_time(both: Office) -> None:
    anne = both.person()
    anne.leave()
    anne.sign_in()
    acts(anne)
    both.world.clock.advance(timedelta(minutes=31))

    clean_sign_ins(both.world.line)
    assert ("session:ended", "idle") in both.audit()
    assert len(both.sessions()) == 1
    both.world.clock.advance(timedelta(minutes=31))
    clean_sign_ins(both.world.line)

    assert both.sessions() == []
    with both.world.line.store.reading() as tx:
        keys = tx.exec(select(WrappedKey.id).where(col(WrappedKey.id).startswith("session:"))).all()
    assert keys == []
    clean_sign_ins(both.world.line)


def test_language_is_kept_for_the_person_also_from_a_page_that_knows_nobody(house: Office) -> None:
    anne = house.person()
    anne.sign_in()
    unknown = anne.get("/finnes-ikke").text
    assert 'name="_skjema" value=""' in unknown

    answer = anne.post("/sprak", {"_skjema": "", "_tilbake": "/hjelp", "sprak": "nn"})

    assert answer.status_code == 303
    elsewhere = house.person()
    elsewhere.sign_in()
    assert 'lang="nn"' in elsewhere.get("/okter").text

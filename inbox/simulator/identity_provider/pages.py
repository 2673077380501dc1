"""The provider's own pages, in bokmål: whom to be, to sign out or not, and what went wrong."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from inbox.simulator.identity_provider.loopback import origin_of
from inbox.simulator.identity_provider.parties import ProviderPerson
from inbox.simulator.identity_provider.wire import NO_STORE, ProviderAnswer

STYLE = """
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 34rem; padding: 2rem 1rem; background: #f4f1ea; color: #1b1b1f }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem }
ul { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: .75rem }
button, .button { box-sizing: border-box; width: 100%; min-height: 3.5rem; padding: .75rem 1rem;
  border: 2px solid #3d2f6b; border-radius: .5rem; background: #fff; color: #1b1b1f;
  font: inherit; text-align: left; cursor: pointer; display: block; text-decoration: none }
button strong { display: block; font-size: 1.25rem }
button:hover, .button:hover { background: #ece6fa }
:focus-visible { outline: 3px solid #3d2f6b; outline-offset: 3px }
iframe { border: 1px solid; width: 100%; height: 2rem }
@media (prefers-color-scheme: dark) {
  body { background: #17151f; color: #f1eefa }
  button, .button { background: #241f36; color: #f1eefa; border-color: #b9a8f0 }
  button:hover, .button:hover { background: #352d52 }
  :focus-visible { outline-color: #b9a8f0 } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def _page(
    title: str,
    main: str,
    *,
    status: int = 200,
    goes_to: Iterable[str] = (),
    frames: Iterable[str] = (),
) -> ProviderAnswer:
    """A page that nothing may frame; `goes_to` are origins that its form may end at.

    A browser holds `form-action` against redirects after the form, too.
    """
    policy = [
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        " ".join(["form-action 'self'", *sorted({origin_of(each) for each in goes_to})]),
    ]
    if sources := sorted({origin_of(each) for each in frames}):
        policy.append(" ".join(["frame-src", *sources]))
    html = (
        '<!DOCTYPE html>\n<html lang="nb">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – ID-tilbyderen i simulatoren</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n"
        f"{main}\n</main>\n</body>\n</html>\n"
    )
    return ProviderAnswer(
        status=status,
        headers=(
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", "; ".join(policy)),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            *NO_STORE,
        ),
        body=html.encode(),
    )


def choice_page(
    people: Iterable[ProviderPerson],
    *,
    action: str,
    choice: str,
    reason: str,
    redirect_uri: str,
) -> ProviderAnswer:
    """Whom to be: one large button for each person, named by the person alone."""
    buttons = "\n".join(
        f'<li><button name="person" value="{escape(person.id)}" type="submit">'
        f"<strong>{escape(person.name)}</strong> {escape(person.about)}</button></li>"
        for person in people
    )
    main = (
        f'<p id="reason">{escape(reason)}</p>\n'
        f'<form method="post" action="{escape(action)}" aria-describedby="reason">\n'
        f'<input type="hidden" name="choice" value="{escape(choice)}">\n'
        f"<ul>\n{buttons}\n</ul>\n</form>\n"
        "<p>Dette er en prøve. Ingen av personene finnes.</p>"
    )
    return _page("Hvem vil du være?", main, goes_to=[redirect_uri])


def refused_page(reason: str, *, status: int = 400) -> ProviderAnswer:
    """An error that the person alone sees: the address given is not known to be the client's."""
    main = f"<p>{escape(reason)}</p>\n<p>Gå tilbake til tjenesten du kom fra, og prøv på nytt.</p>"
    return _page("Innloggingen kan ikke fortsette", main, status=status)


def sign_out_question(action: str, fields: Iterable[tuple[str, str]]) -> ProviderAnswer:
    """Asked where nothing shows that the person wants it (RP-Initiated Logout, section 2)."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in fields
    )
    main = (
        f'<form method="post" action="{escape(action)}">\n{hidden}'
        '<button name="confirmed" value="yes" type="submit">Logg ut</button>\n</form>'
    )
    return _page("Vil du logge ut?", main)


def signed_out_page(*, frames: Iterable[str], back: str | None) -> ProviderAnswer:
    """Signed out; the frames tell the clients, and a link leads back. Nothing moves by itself."""
    framed = list(frames)
    inside = "\n".join(
        f'<iframe src="{escape(address)}" title="Utlogging av tjeneste {number}"></iframe>'
        for number, address in enumerate(framed, 1)
    )
    link = ""
    if back is not None:
        link = f'<p><a class="button" href="{escape(back)}">Tilbake til tjenesten</a></p>'
    return _page("Du er logget ut", f"{link}\n{inside}", frames=framed)

"""Words by which a text shows that it is bokmål, or nynorsk."""

import re

BOKMAAL = re.compile(
    r"\b(ikke|hvem|hva|hvor|hvilken|hvilke|hvis|hver|noe|noen|fra|en|et|ble|nå|jeg|være|gjøre"
    r"|blir gjort|enhet|enheten|meldingen|rollen|handlingen|plikten|hjemmel|hjemmelen|navn|annen"
    r"|tillater|krever|gjelder|mangler|passer|venter|sendt|endret|skrevet|avgjørelser?|mottatt"
    r"|kjør|mappen|virksomhet(?:en)?"
    r"|fordelt til en|kun|også|avsenderen|regelen er borte|etter hvert|selv)\b",
    re.IGNORECASE,
)
NYNORSK = re.compile(
    r"\b(ikkje|kven|kva|noko|nokon|nokre|frå|ein|eit|eining|eininga|meldinga|òg|krev|gjeld|manglar"
    r"|passar|sjølv|heimel|heimelen|vart|blei|namn|dei|berre|rolla|endra)\b",
    re.IGNORECASE,
)

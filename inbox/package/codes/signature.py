"""The codes of manifest, signature and certificate."""

from inbox.package.codes.quarantine_code import Remedy, not_waivable, waivable_by_two

MANIFEST = {
    "manifest.none": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken er ikke signert: den har ingen fortegnelse over signert innhold.",
        nn="Pakka er ikkje signert: ho har inga liste over signert innhald.",
        en="The package is not signed: it has no manifest of what is signed.",
    ),
    "manifest.too_large": not_waivable(
        Remedy.CONTENT,
        nb="Fortegnelsen over signert innhold er større enn grensen.",
        nn="Lista over signert innhald er større enn grensa.",
        en="The manifest of what is signed is larger than the limit.",
    ),
    "manifest.encoding": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold har et tegnsett vi ikke tillater.",
        nn="Lista over signert innhald har eit teiknsett vi ikkje tillèt.",
        en="The manifest of what is signed has a character set that is not allowed.",
    ),
    "manifest.unsafe_xml": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold har farlig XML.",
        nn="Lista over signert innhald har farleg XML.",
        en="The manifest of what is signed has dangerous XML.",
    ),
    "manifest.too_complex": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold er for innviklet.",
        nn="Lista over signert innhald er for innvikla.",
        en="The manifest of what is signed is too complex.",
    ),
    "manifest.malformed": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold kan ikke leses.",
        nn="Lista over signert innhald kan ikkje lesast.",
        en="The manifest of what is signed cannot be read.",
    ),
    "manifest.covers_nothing": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold er tom.",
        nn="Lista over signert innhald er tom.",
        en="The manifest of what is signed is empty.",
    ),
    "manifest.ambiguous_uri": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold kan vise til to ulike filer.",
        nn="Lista over signert innhald kan vise til to ulike filer.",
        en="The manifest of what is signed can mean either of two files.",
    ),
    "manifest.metadata_listed": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold viser til filer som ikke skal signeres.",
        nn="Lista over signert innhald viser til filer som ikkje skal signerast.",
        en="The manifest of what is signed lists files that are never signed.",
    ),
    "manifest.listed_twice": not_waivable(
        Remedy.SOFTWARE,
        nb="Fortegnelsen over signert innhold nevner en fil to ganger.",
        nn="Lista over signert innhald nemner ei fil to gonger.",
        en="The manifest of what is signed lists a file twice.",
    ),
    "manifest.absent_file": not_waivable(
        Remedy.RESEND,
        nb="Fortegnelsen over signert innhold nevner en fil som ikke er i pakken.",
        nn="Lista over signert innhald nemner ei fil som ikkje er i pakka.",
        en="The manifest of what is signed lists a file that is not in the package.",
    ),
    "manifest.uncovered": not_waivable(
        Remedy.RESEND,
        nb="Pakken har en fil som ikke er signert.",
        nn="Pakka har ei fil som ikkje er signert.",
        en="The package has a file that is not signed.",
    ),
    "manifest.weak_digest": not_waivable(
        Remedy.SOFTWARE,
        nb="En fil er signert med for svakt eller ukjent fingeravtrykk.",
        nn="Ei fil er signert med for svakt eller ukjent fingeravtrykk.",
        en="A file is signed by a digest that is too weak or unknown.",
    ),
    "manifest.digest": not_waivable(
        Remedy.RESEND,
        nb="En fil er endret etter at den ble signert.",
        nn="Ei fil er endra etter at ho blei signert.",
        en="A file was changed after it was signed.",
    ),
}
SIGNATURE = {
    "signature.xades": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken er signert med XAdES, som ikke brukes i eFormidling.",
        nn="Pakka er signert med XAdES, som ikkje blir brukt i eFormidling.",
        en="The package is signed with XAdES, which eFormidling does not use.",
    ),
    "signature.missing": not_waivable(
        Remedy.RESEND,
        nb="Signaturen som pakken viser til, mangler.",
        nn="Signaturen som pakka viser til, manglar.",
        en="The signature that the package refers to is missing.",
    ),
    "signature.shared": not_waivable(
        Remedy.SOFTWARE,
        nb="To fortegnelser viser til samme signatur.",
        nn="To lister viser til same signatur.",
        en="Two manifests refer to the same signature.",
    ),
    "signature.unreferenced": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken har en signatur som ikke hører til noe.",
        nn="Pakka har ein signatur som ikkje høyrer til noko.",
        en="The package has a signature that belongs to nothing.",
    ),
    "signature.too_large": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen er større enn grensen.",
        nn="Signaturen er større enn grensa.",
        en="The signature is larger than the limit.",
    ),
    "signature.malformed": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen kan ikke leses.",
        nn="Signaturen kan ikkje lesast.",
        en="The signature cannot be read.",
    ),
    "signature.embedded_content": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen har med seg eget innhold.",
        nn="Signaturen har med seg eige innhald.",
        en="The signature brings content of its own.",
    ),
    "signature.signer_count": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen skal ha nøyaktig én underskriver.",
        nn="Signaturen skal ha nøyaktig éin underskrivar.",
        en="The signature must have exactly one signer.",
    ),
    "signature.signer_certificate": not_waivable(
        Remedy.SOFTWARE,
        nb="Sertifikatet til underskriveren mangler eller er tvetydig.",
        nn="Sertifikatet til underskrivaren manglar eller er tvitydig.",
        en="The signer's certificate is missing or ambiguous.",
    ),
    "signature.attributes": not_waivable(
        Remedy.SOFTWARE,
        nb="Det som er signert, er ikke beskrevet slik det skal.",
        nn="Det som er signert, er ikkje skildra slik det skal.",
        en="What is signed is not described as it must be.",
    ),
    "signature.algorithm": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen bruker algoritmer vi ikke tillater, eller som er i strid med hverandre.",
        nn="Signaturen bruker algoritmar vi ikkje tillèt, eller som er i strid med kvarandre.",
        en="The signature uses algorithms that are not allowed, or that contradict each other.",
    ),
    "signature.weak_key": not_waivable(
        Remedy.CERTIFICATE,
        nb="Nøkkelen til underskriveren er for svak.",
        nn="Nøkkelen til underskrivaren er for svak.",
        en="The signer's key is too weak.",
    ),
    "signature.other_bytes": not_waivable(
        Remedy.RESEND,
        nb="Signaturen gjelder noe annet enn innholdet i pakken.",
        nn="Signaturen gjeld noko anna enn innhaldet i pakka.",
        en="The signature is of something else than what is in the package.",
    ),
    "signature.wrong": not_waivable(
        Remedy.RESEND,
        nb="Signaturen er feil.",
        nn="Signaturen er feil.",
        en="The signature is wrong.",
    ),
    "signature.legacy_shape": not_waivable(
        Remedy.SOFTWARE,
        nb="Signaturen er av den gamle typen (SHA-1), men i feil form.",
        nn="Signaturen er av den gamle typen (SHA-1), men i feil form.",
        en="The signature is of the old kind (SHA-1), but in a wrong shape.",
    ),
}
TRUST = {
    "trust.legacy_sha1": waivable_by_two(
        Remedy.SOFTWARE,
        nb="Signaturen er av den gamle typen (SHA-1), som ikke lenger godtas.",
        nn="Signaturen er av den gamle typen (SHA-1), som ikkje lenger blir godteken.",
        en="The signature is of the old kind (SHA-1), which is no longer accepted.",
    ),
    "trust.unknown_anchor": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Sertifikatet er ikke utstedt av noen vi stoler på.",
        nn="Sertifikatet er ikkje utferda av nokon vi lit på.",
        en="The certificate was not issued by anybody whom we trust.",
    ),
    "trust.expired": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Sertifikatet er utløpt.",
        nn="Sertifikatet er utgått.",
        en="The certificate has expired.",
    ),
    "trust.not_yet_valid": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Sertifikatet er ikke gyldig ennå.",
        nn="Sertifikatet er ikkje gyldig enno.",
        en="The certificate is not valid yet.",
    ),
    "trust.usage": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Sertifikatet er ikke ment for å signere.",
        nn="Sertifikatet er ikkje meint for å signere.",
        en="The certificate is not meant for signing.",
    ),
    "trust.path": not_waivable(
        Remedy.CERTIFICATE,
        nb="Rekken av sertifikater er ugyldig.",
        nn="Rekkja av sertifikat er ugyldig.",
        en="The chain of certificates is invalid.",
    ),
    "trust.revoked": not_waivable(
        Remedy.CERTIFICATE,
        nb="Sertifikatet er trukket tilbake.",
        nn="Sertifikatet er trekt tilbake.",
        en="The certificate has been revoked.",
    ),
    "revocation-unknown": waivable_by_two(
        Remedy.OURS,
        nb="Vi vet ikke om sertifikatet er trukket tilbake.",
        nn="Vi veit ikkje om sertifikatet er trekt tilbake.",
        en="It is not known whether the certificate has been revoked.",
    ),
}

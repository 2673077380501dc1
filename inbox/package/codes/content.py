"""The codes of signer, envelope, arkivmelding and documents."""

from inbox.package.codes.quarantine_code import (
    Remedy,
    not_waivable,
    waivable_by_two,
    waivable_with_reviewer,
)

SIGNER = {
    "signer.no_org_number": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Sertifikatet sier ikke hvilken virksomhet som har signert.",
        nn="Sertifikatet seier ikkje kva verksemd som har signert.",
        en="The certificate does not say which organisation has signed.",
    ),
    "signer.not_sender": waivable_by_two(
        Remedy.CERTIFICATE,
        nb="Pakken er signert av en annen virksomhet enn avsenderen.",
        nn="Pakka er signert av ei anna verksemd enn avsendaren.",
        en="The package is signed by another organisation than the sender.",
    ),
    "signer.supplier_unknown": waivable_by_two(
        Remedy.OURS,
        nb="Den som har signert, er ikke kjent som leverandør for avsenderen.",
        nn="Den som har signert, er ikkje kjend som leverandør for avsendaren.",
        en="The signer is not known as a supplier of the sender.",
    ),
}
ENVELOPE = {
    "envelope.absent": not_waivable(
        Remedy.RESEND,
        nb="Konvolutten mangler.",
        nn="Konvolutten manglar.",
        en="The envelope is missing.",
    ),
    "envelope.too_large": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten er større enn grensen.",
        nn="Konvolutten er større enn grensa.",
        en="The envelope is larger than the limit.",
    ),
    "envelope.not_json": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten kan ikke leses.",
        nn="Konvolutten kan ikkje lesast.",
        en="The envelope cannot be read.",
    ),
    "envelope.not_sbd": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten mangler det en konvolutt skal ha.",
        nn="Konvolutten manglar det ein konvolutt skal ha.",
        en="The envelope lacks what an envelope must have.",
    ),
    "envelope.not_arkivmelding": not_waivable(
        Remedy.SOFTWARE,
        nb="Meldingen er ikke en arkivmelding.",
        nn="Meldinga er ikkje ei arkivmelding.",
        en="The message is not an arkivmelding.",
    ),
    "envelope.sender": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten sier ikke hvem avsenderen er.",
        nn="Konvolutten seier ikkje kven avsendaren er.",
        en="The envelope does not say who the sender is.",
    ),
    "envelope.receiver": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten sier ikke hvem mottakeren er.",
        nn="Konvolutten seier ikkje kven mottakaren er.",
        en="The envelope does not say who the receiver is.",
    ),
    "envelope.message_id": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten mangler meldingens id.",
        nn="Konvolutten manglar id-en til meldinga.",
        en="The envelope lacks the id of the message.",
    ),
    "envelope.process": not_waivable(
        Remedy.SOFTWARE,
        nb="Konvolutten sier ikke hvilken prosess meldingen hører til.",
        nn="Konvolutten seier ikkje kva prosess meldinga høyrer til.",
        en="The envelope does not say which process the message belongs to.",
    ),
    "envelope.not_ours": not_waivable(
        Remedy.CONTENT,
        nb="Meldingen er ikke til oss.",
        nn="Meldinga er ikkje til oss.",
        en="The message is not for us.",
    ),
    "envelope.other_sender": waivable_by_two(
        Remedy.RESEND,
        nb="Pakken nevner en annen avsender enn konvolutten.",
        nn="Pakka nemner ein annan avsendar enn konvolutten.",
        en="The package names another sender than the envelope.",
    ),
    "envelope.other_receiver": waivable_by_two(
        Remedy.RESEND,
        nb="Pakken nevner en annen mottaker enn konvolutten.",
        nn="Pakka nemner ein annan mottakar enn konvolutten.",
        en="The package names another receiver than the envelope.",
    ),
}
ARKIVMELDING = {
    "arkivmelding.absent": waivable_by_two(
        Remedy.CONTENT,
        nb="Pakken har ingen arkivmelding.xml.",
        nn="Pakka har inga arkivmelding.xml.",
        en="The package has no arkivmelding.xml.",
    ),
    "arkivmelding.several": waivable_by_two(
        Remedy.SOFTWARE,
        nb="Pakken har flere arkivmelding.xml, med ulik skrivemåte av navnet.",
        nn="Pakka har fleire arkivmelding.xml, med ulik skrivemåte av namnet.",
        en="The package has several arkivmelding.xml, whose names are spelt differently.",
    ),
    "arkivmelding.too_large": waivable_with_reviewer(
        Remedy.CONTENT,
        nb="arkivmelding.xml er større enn grensen.",
        nn="arkivmelding.xml er større enn grensa.",
        en="arkivmelding.xml is larger than the limit.",
    ),
    "arkivmelding.encoding": waivable_by_two(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml er i strid med seg selv om tegnsettet, eller har ett vi ikke leser.",
        nn="arkivmelding.xml er i strid med seg sjølv om teiknsettet, eller har eitt vi ikkje les.",
        en="arkivmelding.xml contradicts itself about its character set, or it is not one we read.",
    ),
    "arkivmelding.unsafe_xml": waivable_by_two(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml har farlig XML.",
        nn="arkivmelding.xml har farleg XML.",
        en="arkivmelding.xml has dangerous XML.",
    ),
    "arkivmelding.too_complex": waivable_by_two(
        Remedy.CONTENT,
        nb="arkivmelding.xml er for innviklet.",
        nn="arkivmelding.xml er for innvikla.",
        en="arkivmelding.xml is too complex.",
    ),
    "arkivmelding.malformed": waivable_by_two(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml er ikke gyldig XML.",
        nn="arkivmelding.xml er ikkje gyldig XML.",
        en="arkivmelding.xml is not well-formed XML.",
    ),
    "arkivmelding.not_noark": waivable_by_two(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml er ikke en arkivmelding etter Noark 5.",
        nn="arkivmelding.xml er ikkje ei arkivmelding etter Noark 5.",
        en="arkivmelding.xml is not an arkivmelding by Noark 5.",
    ),
    "arkivmelding.newer_namespace": waivable_by_two(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml følger en nyere utgave av standarden enn eFormidling bruker.",
        nn="arkivmelding.xml følgjer ei nyare utgåve av standarden enn eFormidling bruker.",
        en="arkivmelding.xml follows a later edition of the standard than eFormidling uses.",
    ),
    "arkivmelding.no_registration": waivable_by_two(
        Remedy.CONTENT,
        nb="arkivmelding.xml har ingen journalpost.",
        nn="arkivmelding.xml har ingen journalpost.",
        en="arkivmelding.xml has no registry entry (journalpost).",
    ),
    "arkivmelding.protective_grade": waivable_by_two(
        Remedy.NOTHING,
        nb="Meldingen er gradert etter beskyttelsesinstruksen.",
        nn="Meldinga er gradert etter beskyttelsesinstruksen.",
        en="The message has a protective grade (beskyttelsesinstruksen).",
    ),
    "arkivmelding.grade_unreadable": waivable_with_reviewer(
        Remedy.SOFTWARE,
        nb="arkivmelding.xml kan ikke leses, og det som står der, kan være en gradering.",
        nn="arkivmelding.xml kan ikkje lesast, og det som står der, kan vere ei gradering.",
        en="arkivmelding.xml cannot be read, and what stands there may be a grade.",
    ),
    "arkivmelding.security_grade": not_waivable(
        Remedy.ELSEWHERE,
        nb="Meldingen er sikkerhetsgradert og skal ikke sendes her.",
        nn="Meldinga er tryggleiksgradert og skal ikkje sendast her.",
        en="The message has a security grade and must not travel here.",
    ),
}
DOCUMENTS = {
    "documents.none": waivable_by_two(
        Remedy.CONTENT,
        nb="Pakken har ingen dokumenter.",
        nn="Pakka har ingen dokument.",
        en="The package has no documents.",
    ),
}
ARRIVAL = {
    "arrival.other_bytes": waivable_by_two(
        Remedy.RESEND,
        nb="En annen melding kom før denne med samme id, men med annet innhold.",
        nn="Ei anna melding kom før denne med same id, men med anna innhald.",
        en="Another message came before this one under the same id, with other content.",
    ),
}

"""The codes of a container that is incomplete, or not of the kind that eFormidling uses."""

from inbox.package.codes.quarantine_code import Remedy, not_waivable

CONTAINER = {
    "container.not_zip": not_waivable(
        Remedy.RESEND,
        nb="Filen er ikke en dokumentpakke (zip).",
        nn="Fila er ikkje ei dokumentpakke (zip).",
        en="The file is not a document package (zip).",
    ),
    "container.truncated": not_waivable(
        Remedy.RESEND,
        nb="Pakken er avkuttet: slutten mangler.",
        nn="Pakka er avkutta: slutten manglar.",
        en="The package is cut off: its end is missing.",
    ),
    "container.too_large": not_waivable(
        Remedy.CONTENT,
        nb="Pakken er større enn grensen.",
        nn="Pakka er større enn grensa.",
        en="The package is larger than the limit.",
    ),
    "container.trailing_bytes": not_waivable(
        Remedy.SOFTWARE,
        nb="Det ligger noe etter slutten av pakken.",
        nn="Det ligg noko etter slutten av pakka.",
        en="There is something after the end of the package.",
    ),
    "container.comment": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken har en kommentar som kan leses som en del av pakken.",
        nn="Pakka har ein kommentar som kan lesast som ein del av pakka.",
        en="The package has a comment that could be read as a part of the package.",
    ),
    "container.zip64": not_waivable(
        Remedy.SOFTWARE,
        nb="Opplysningene om store filer (zip64) stemmer ikke overens.",
        nn="Opplysningane om store filer (zip64) stemmer ikkje overeins.",
        en="What it says about large files (zip64) does not agree.",
    ),
    "container.directory": not_waivable(
        Remedy.RESEND,
        nb="Innholdsfortegnelsen i pakken er ødelagt.",
        nn="Innhaldslista i pakka er øydelagd.",
        en="The directory of the package is damaged.",
    ),
    "container.too_many_entries": not_waivable(
        Remedy.CONTENT,
        nb="Pakken har flere filer enn grensen.",
        nn="Pakka har fleire filer enn grensa.",
        en="The package has more files than the limit.",
    ),
    "container.gap": not_waivable(
        Remedy.SOFTWARE,
        nb="Det ligger noe mellom filene, eller filene overlapper.",
        nn="Det ligg noko mellom filene, eller filene overlappar.",
        en="There is something between the files, or they overlap.",
    ),
    "container.local_header": not_waivable(
        Remedy.SOFTWARE,
        nb="En fil er beskrevet på to ulike måter i pakken.",
        nn="Ei fil er skildra på to ulike måtar i pakka.",
        en="A file is described in two different ways in the package.",
    ),
    "container.descriptor": not_waivable(
        Remedy.RESEND,
        nb="Størrelse eller kontrollsum etter en fil stemmer ikke.",
        nn="Storleik eller kontrollsum etter ei fil stemmer ikkje.",
        en="Size or checksum after a file is wrong.",
    ),
    "container.encrypted": not_waivable(
        Remedy.CONTENT,
        nb="En fil i pakken er kryptert.",
        nn="Ei fil i pakka er kryptert.",
        en="A file in the package is encrypted.",
    ),
    "container.flags": not_waivable(
        Remedy.SOFTWARE,
        nb="En fil i pakken bruker egenskaper vi ikke tillater.",
        nn="Ei fil i pakka bruker eigenskapar vi ikkje tillèt.",
        en="A file in the package uses features that are not allowed.",
    ),
    "container.method": not_waivable(
        Remedy.SOFTWARE,
        nb="En fil er pakket med en metode vi ikke tillater.",
        nn="Ei fil er pakka med ein metode vi ikkje tillèt.",
        en="A file is packed by a method that is not allowed.",
    ),
    "container.special_file": not_waivable(
        Remedy.CONTENT,
        nb="Pakken har en lenke, en mappe med innhold eller annet som ikke er en vanlig fil.",
        nn="Pakka har ei lenkje, ei mappe med innhald eller anna som ikkje er ei vanleg fil.",
        en="The package has a link, a folder with content or something else that is no ordinary"
        " file.",
    ),
    "container.extra_field": not_waivable(
        Remedy.SOFTWARE,
        nb="En fil i pakken har tilleggsfelt vi ikke tillater.",
        nn="Ei fil i pakka har tilleggsfelt vi ikkje tillèt.",
        en="A file in the package has extra fields that are not allowed.",
    ),
    "container.name": not_waivable(
        Remedy.CONTENT,
        nb="Et filnavn i pakken er tomt eller ødelagt, eller fører ut av pakken.",
        nn="Eit filnamn i pakka er tomt eller øydelagt, eller fører ut av pakka.",
        en="A file name in the package is empty or damaged, or leads out of the package.",
    ),
    "container.name_collision": not_waivable(
        Remedy.CONTENT,
        nb="To filer i pakken har nøyaktig samme navn.",
        nn="To filer i pakka har nøyaktig same namn.",
        en="Two files in the package have exactly the same name.",
    ),
    "container.inflated_too_large": not_waivable(
        Remedy.CONTENT,
        nb="Innholdet er større enn grensen når det pakkes ut.",
        nn="Innhaldet er større enn grensa når det blir pakka ut.",
        en="What is in the package is larger than the limit once it is unpacked.",
    ),
    "container.deflate": not_waivable(
        Remedy.RESEND,
        nb="En fil i pakken kan ikke pakkes ut.",
        nn="Ei fil i pakka kan ikkje pakkast ut.",
        en="A file in the package cannot be unpacked.",
    ),
    "container.size": not_waivable(
        Remedy.RESEND,
        nb="En fil har en annen størrelse enn pakken sier.",
        nn="Ei fil har ein annan storleik enn pakka seier.",
        en="A file has another size than the package says.",
    ),
    "container.crc": not_waivable(
        Remedy.RESEND,
        nb="En fil har en annen kontrollsum enn pakken sier.",
        nn="Ei fil har ein annan kontrollsum enn pakka seier.",
        en="A file has another checksum than the package says.",
    ),
    "container.mimetype_missing": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken sier ikke hva slags pakke den er (mimetype mangler).",
        nn="Pakka seier ikkje kva slags pakke ho er (mimetype manglar).",
        en="The package does not say what kind of package it is (no mimetype).",
    ),
    "container.mimetype_wrong": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken er ikke av typen ASiC-E.",
        nn="Pakka er ikkje av typen ASiC-E.",
        en="The package is not of the kind ASiC-E.",
    ),
    "container.asic_s": not_waivable(
        Remedy.SOFTWARE,
        nb="Pakken er av typen ASiC-S, som ikke brukes i eFormidling.",
        nn="Pakka er av typen ASiC-S, som ikkje blir brukt i eFormidling.",
        en="The package is of the kind ASiC-S, which eFormidling does not use.",
    ),
    "container.stray_metadata": not_waivable(
        Remedy.SOFTWARE,
        nb="META-INF har en fil som ikke hører hjemme der.",
        nn="META-INF har ei fil som ikkje høyrer heime der.",
        en="META-INF has a file that does not belong there.",
    ),
}

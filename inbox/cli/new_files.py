"""The files that `inbox new` writes, with what they mean beside what they say."""

from typing import Final

SETTINGS: Final = """\
# Settings of inbox. docs/operators.md explains every key; `inbox config show` prints what is used.
# A relative path begins in the folder of this file. A lone "#" marks a comment, "#key = value" a
# setting that may be switched on. Passwords never stand here.

# SQLite for one machine and one working process; PostgreSQL, in UTF-8, for more:
#   database = "postgresql://inbox@db.kommune.example/inbox?sslmode=verify-full"
database = "sqlite:///data/inbox.db"

# Where packages lie, encrypted. Best on a disk of its own, never in the same backup as the keys.
vault = "vault"

# `inbox keys create` makes it. Who has keys and data can read everything; nobody can without.
keys = "keys"

# Who may do what, and where mail goes. Nothing here decides before two people have agreed to it.
policies = "policies"

# Certificates (*.pem) of those whose signatures are believed, and their revocation lists (*.crl).
# Empty: every package is quarantined.
trust = "trust"

# What vouches for the audit. Copy it to another machine as often as you can.
checkpoints = "data/checkpoints.txt"

# The name of this audit, in every checkpoint. Choose it before `inbox init`, and never change it.
origin = "inbox/{organisation}"

# Certificates of your own authority, if the gateway, an identity provider or a case system has one
# from it.
#tls_ca_file = "internal-ca.pem"

# The case systems' listener speaks plain http: put a proxy with TLS before it.
[api]
host = "127.0.0.1"
port = 8080

# Health, metrics and the status page. No sign-in: loopback, or the operators' own network.
[operator]
host = "127.0.0.1"
port = 8081

# Where issuers publish revocation lists: the address stands in the certificates that they issue.
[revocation]
#addresses = ["http://crl.utsteder.example/virksomhet.crl"]

# Your integrasjonspunkt. This one is on the same machine; elsewhere it takes https and a user.
[[gateways]]
channel = "eformidling"
url = "http://127.0.0.1:9093"
#url = "https://integrasjonspunkt.kommune.example"
#user = "inbox"
#password_file = "gateway.password"
organisations = ["{organisation}"]

# Where events may be sent: a block for each case system that gets webhooks.
#[[webhook_targets]]
#host = "fagsystem.kommune.example"
#port = 443
#networks = ["10.20.0.0/16"]
"""

ROUTING: Final = """\
# rows: 0
# Fordelingsregler for {organisation}. docs/routing.md sier hvordan regler skrives og prøves.
#
# Her er ingen regler ennå: takes_all sier at mennesker i enheten under [desk] fordeler alt. En
# regel står slik; med den skal linjen takes_all bort, og tallet etter «rows» følge med:
#
#   [[rule]]
#   id = "skole-til-ppt"
#   because = "Henvisninger fra skolene hører til PPT"
#   when = {{ public_title_has = ["sakkyndig-"] }}
#   to = "ppt"
#   release = "by a person"

[units]
{desk} = {desk_name}

[desk]
unit = "{desk}"
takes_all = true
"""

ROUTING_CASES: Final = """\
# Tilfeller for fordelingsreglene: hvor en melding skal. `inbox route test` prøver dem.

receiver = "{organisation}"
on = 2026-11-24

[[case]]
name = "uten regler fordeler mennesker alt"
metadata = {{ sender = "312103419" }}
expect = "unrouted"
"""

DIRECTORY: Final = """\
# Units, people and case systems, as `inbox directory import` takes them in. docs/directory.md
# explains every key. A lone "#" marks a comment, "#key = value" what may be switched on.

organisation = "{organisation}"

# Who distributes: `inbox init` has made this unit, with two archivists.
[[unit]]
id = "{desk}"
name = {desk_name}

# A case system that people register in by hand. With "webhook" it takes a webhook_url, whose host
# and port must be in [[webhook_targets]] of the settings; with "pull" it asks by itself.
#[[case_system]]
#id = "fagsystem"
#name = "Fagsystemet"
#mode = "by_hand"

#[[unit]]
#id = "bv"
#name = "Barneverntjenesten"
#case_system = "fagsystem"

# A unit needs a leader, a handler, and one of them cleared for what is shielded.
#[[person]]
#id = "lise"
#name = "Lise Leder"

#[[capacity]]
#person = "lise"
#unit = "bv"
#role = "leader"

#[[person]]
#id = "ola"
#name = "Ola Saksbehandler"

#[[capacity]]
#person = "ola"
#unit = "bv"
#role = "handler"

#[[clearance]]
#person = "ola"
#shielding = "13"
"""

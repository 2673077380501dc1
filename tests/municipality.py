"""The made-up municipality of the tests: its units, people, case systems and rules."""

DIRECTORY = b"""
organisation = "910075918"

[[case_system]]
id = "sak"
name = "Sakarkiv"
mode = "webhook"
webhook_url = "http://127.0.0.1:9/hooks"

[[case_system]]
id = "fag"
name = "Fagsystem"
mode = "pull"

[[case_system]]
id = "hand"
name = "For hand"
mode = "by_hand"

[[unit]]
id = "desk"
name = "Dokumentsenteret"

[[unit]]
id = "bv"
name = "Barneverntjenesten"
case_system = "sak"

[[unit]]
id = "ppt"
name = "PPT"
case_system = "fag"

[[unit]]
id = "skole"
name = "Skole"
case_system = "hand"
shares_unassigned = true

[[person]]
id = "anne"
name = "Anne Arkivar"
[[person]]
id = "bjorn"
name = "Bjorn Arkivar"
[[person]]
id = "kari"
name = "Kari Leder"
[[person]]
id = "ola"
name = "Ola Saksbehandler"

[[capacity]]
person = "anne"
unit = "desk"
role = "archivist"
[[capacity]]
person = "bjorn"
unit = "desk"
role = "archivist"
[[capacity]]
person = "kari"
unit = "bv"
role = "leader"
[[capacity]]
person = "ola"
unit = "bv"
role = "handler"
[[capacity]]
person = "kari"
unit = "skole"
role = "leader"
[[capacity]]
person = "ola"
unit = "skole"
role = "handler"
[[clearance]]
person = "ola"
shielding = "13"
[[clearance]]
person = "ola"
shielding = "?"
[[clearance]]
person = "kari"
shielding = "13"
"""

RULES = b"""
# rows: 4
[units]
desk = "Dokumentsenteret"
bv = "Barneverntjenesten"
ppt = "PPT"
skole = "Skole"

[desk]
unit = "desk"

[[rule]]
id = "svar"
because = "Svar gar til enheten som har saken"
when = { known_reference = true }
to = "same unit"
release = "at once"

[[rule]]
id = "bv-straks"
because = "Barnevern straks"
when = { public_title_has = ["barnevern"] }
to = "bv"
release = "at once"
before = ["ppt", "skole"]

[[rule]]
id = "ppt"
because = "PPT"
when = { public_title_has = ["sakkyndig"] }
to = "ppt"
release = "at once"
before = ["skole"]

[[rule]]
id = "skole"
because = "Skole vurderes"
when = { public_title_has = ["elev"] }
to = "skole"
release = "by a person"
"""

PEOPLE_THAT_ARE_MISSING = b"""
[[capacity]]
person = "kari"
unit = "ppt"
role = "leader"
[[capacity]]
person = "ola"
unit = "ppt"
role = "handler"
[[capacity]]
person = "bjorn"
unit = "desk"
role = "security_reviewer"
"""
"""With these each unit that gets mail has two people, and somebody can approve what widens."""

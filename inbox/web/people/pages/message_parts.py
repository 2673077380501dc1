"""The parts of a message's page, from what was read to what the components show."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from inbox.access.policy.vocabulary import Action
from inbox.domain import MessageId, MessageState, Service
from inbox.line.desk.message.facts import EnvelopeFacts, OpenProposal, OpenTask
from inbox.line.desk.message.history import HistoryLine
from inbox.line.desk.message.lamps import Lamp, Lamps, LampState
from inbox.line.desk.message_view import MessageView, Neighbours
from inbox.line.desk.queue_row import QueueRow
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.proposals.quarantine_release import is_waivable
from inbox.line.task_kinds import TaskKind
from inbox.routing.conditions import ConditionField, RuleCondition
from inbox.routing.route import RuleAnswer
from inbox.routing.sentences import RoutingSentences
from inbox.web.people import formats, shapes, words
from inbox.web.people.history_words import event_in_words
from inbox.web.people.pages.place_in_queue import Place, PlaceInQueue
from inbox.web.people.pages.shown_rows import process_name
from inbox.web.people.texts import PageTexts, to_translate

Within = Callable[..., str]
_LAMP_NAMES: Final = (
    to_translate("Hentet"),
    to_translate("Verifisert"),
    to_translate("Levert"),
    to_translate("Journalført"),
)
_STOPPED_NAMES: Final = (
    to_translate("Ikke hentet"),
    to_translate("Ikke verifisert"),
    to_translate("Ikke levert"),
    to_translate("Ikke journalført"),
)
"""A lamp that is put out for good must not read as if it burned."""
_NOT_YET: Final = (
    to_translate("ikke ennå"),
    to_translate("ikke ennå"),
    to_translate("til fagsystemet, ikke ennå"),
    to_translate("i fagsystemet, ikke ennå"),
)
_STOPPED: Final = (
    to_translate("stanset før henting"),
    to_translate("kontrollen fant noe"),
    to_translate("meldingen er avvist"),
    to_translate("meldingen er avvist"),
)
_SHAPES: Final[Mapping[LampState, shapes.ShownLampState]] = {
    LampState.ON: shapes.ShownLampState.ON,
    LampState.OFF: shapes.ShownLampState.OFF,
    LampState.STOPPED: shapes.ShownLampState.STOPPED,
}
_SAID_BY_THE_PAGE: Final = frozenset(
    {TaskKind.DISTRIBUTE, TaskKind.QUARANTINE, TaskKind.RELEASE, TaskKind.COLLECT}
)


def steps_of(
    texts: PageTexts, around: Neighbours | None, place: Place | None
) -> shapes.Steps | None:
    """Where in its queue the message is; None where the page was not reached from one."""
    if place is None:
        return None
    before = around.previous if around else None
    after = around.next if around else None
    return shapes.Steps(
        queue=words.place_name(
            texts, place.queue if isinstance(place, PlaceInQueue) else place.list
        ),
        queue_address=place.address,
        previous=place.within(f"/melding/{before}") if before else "",
        next=place.within(f"/melding/{after}") if after else "",
    )


def lamps_of(texts: PageTexts, lamps: Lamps) -> list[shapes.ShownLamp]:
    """The four lamps, each with since when, or why not."""
    four = (lamps.fetched, lamps.verified, lamps.delivered, lamps.registered)
    return [_lamp(texts, number, lamp) for number, lamp in enumerate(four)]


def _lamp(texts: PageTexts, number: int, lamp: Lamp) -> shapes.ShownLamp:
    _, name = texts.gettext, _LAMP_NAMES[number]
    if lamp.state is LampState.OFF:
        said = _(_NOT_YET[number])
    elif lamp.state is LampState.STOPPED:
        name, said = _STOPPED_NAMES[number], _(_STOPPED[number])
    else:
        said = formats.short_moment(lamp.at, texts.language) if lamp.at else _("ja")
    return shapes.ShownLamp(name=_(name), said=said, state=_SHAPES[lamp.state])


def likely_units(found: MessageView) -> list[shapes.ShownUnit]:
    """The suggested units, the likeliest first; none without enough history."""
    if found.suggestion is None:
        return []
    total = found.suggestion.of
    return [
        shapes.ShownUnit(unit=each.unit, name=each.unit_name, count=each.count, of=total)
        for each in found.suggestion.units
    ]


def envelope_facts(texts: PageTexts, row: QueueRow, given: EnvelopeFacts) -> list[shapes.ShownFact]:
    """The envelope as labels and values; what is not known is left out."""
    _ = texts.gettext
    files = ", ".join(f"{each.count} {each.kind}" for each in given.files)
    count = given.document_count
    size = formats.size(given.total_bytes, texts.language) if given.total_bytes else ""
    facts = (
        (_("Avsender"), row.sender_name or ""),
        (_("Org.nr."), formats.orgnr(given.sender) if given.sender else _("ukjent")),
        (_("På vegne av"), formats.orgnr(given.on_behalf_of) if given.on_behalf_of else ""),
        (_("Sendt"), formats.short_moment(given.sent_at, texts.language) if given.sent_at else ""),
        (_("Til enhet"), given.administrative_unit or ""),
        (_("Tilgangskode"), given.access_restriction or ""),
        (_("Hjemmel"), given.screening_authority or ""),
        (_("Prosess"), process_name(given.process)),
        (_("Kanal"), _channel(given.service, given.channel)),
        (_("Filer"), "" if count is None else f"{count} ({size})" if size else str(count)),
        (_("Filtyper"), files),
    )
    shown = [shapes.ShownFact(label=label, value=value) for label, value in facts if value]
    ids = ((_("Meldings-id"), given.wire_id), (_("Samtale-id"), given.conversation_id or ""))
    return shown + [
        shapes.ShownFact(label=label, value=value, is_code=True) for label, value in ids if value
    ]


def _channel(service: Service, channel: str) -> str:
    """What carries the mail; the channel's own name beside it, if it has one of its own."""
    name = words.CHANNELS[service]
    return name if words.channel_name(channel) == name else f"{name} ({channel})"


def copies_of(same_as: Sequence[MessageId]) -> list[shapes.Choice]:
    """Those with the same documents, by their references."""
    return [shapes.Choice(value=each, name=short_reference_of(each)) for each in same_as]


def reasons_of(texts: PageTexts, found: MessageView) -> list[shapes.ShownRule]:
    """The rule that decided, or the ones that were nearest, with how each condition fell out."""
    explained = found.explanation
    if explained is None:
        return []
    said = RoutingSentences(language=texts.language)
    if explained.route is not None and found.row.rule == explained.route.rule:
        chosen = [each for each in explained.rules if each.rule == explained.route.rule]
    else:
        chosen = [
            each for name in explained.nearest for each in explained.rules if each.rule == name
        ]
    return [_rule(said, each) for each in chosen]


def _rule(said: RoutingSentences, answer: RuleAnswer) -> shapes.ShownRule:
    checks = [
        shapes.ShownCheck(holds=each.holds, text=_condition(said, each.condition))
        for each in answer.when
    ]
    return shapes.ShownRule(name=answer.because, checks=tuple(checks))


def _condition(said: RoutingSentences, asked: RuleCondition) -> str:
    """A condition as a sentence, with the words that the envelope has for a process."""
    if asked.field is not ConditionField.PROCESS:
        return said.condition(asked)
    return said.field(asked.field, [process_name(each) for each in asked.written])


def locked_facts(texts: PageTexts, found: MessageView) -> list[shapes.ShownFact]:
    """Who can open it where it is, or where it is likeliest to go, and how one gets access."""
    _ = texts.gettext
    suggested = found.suggestion.units[0].unit if found.suggestion else None
    unit = next((each for each in found.units if each.id == (found.row.unit or suggested)), None)
    if unit is None:
        return [
            shapes.ShownFact(label=_("Kan åpne"), value=_("ingen, før den er fordelt til en enhet"))
        ]
    leaders = ", ".join(unit.leaders) or _("ingen: enheten har ingen leder")
    opens = _("saksbehandleren i %(unit)s som får den tildelt") % {"unit": unit.name}
    shares = _("eller som tar den selv: enheten deler det som ikke er tildelt")
    return [
        shapes.ShownFact(
            label=_("Kan åpne"), value=f"{opens}, {shares}" if unit.shares_unassigned else opens
        ),
        shapes.ShownFact(label=_("Kan tildele"), value=leaders, is_late=not unit.leaders),
        shapes.ShownFact(label=_("Kan gi innsyn"), value=_("lederen, med sluttdato")),
    ]


def history_of(texts: PageTexts, history: Sequence[HistoryLine]) -> list[shapes.PastEvent]:
    """What has happened, the newest first."""
    said = ((line, event_in_words(texts, line)) for line in reversed(history))
    return [
        shapes.PastEvent(when=formats.short_moment(line.at, texts.language), at=line.at, what=what)
        for line, what in said
        if what
    ]


def last_change(texts: PageTexts, history: Sequence[HistoryLine]) -> str:
    """What was done last, when and by whom: for somebody who was about to do something else."""
    _ = texts.gettext
    last = next(iter(history_of(texts, history)), None)
    if last is None:
        return _("Meldingen er endret imens, så det du valgte, er ikke gjort.")
    said = _("Meldingen er endret imens, så det du valgte, er ikke gjort. Sist %(when)s: %(what)s.")
    return said % {"when": last.when, "what": last.what}


def open_proposals(texts: PageTexts, proposals: Sequence[OpenProposal]) -> list[shapes.Todo]:
    """The proposals that stand open about it."""
    return [
        shapes.Todo(
            what=texts.gettext(words.PROPOSALS[ProposalKind(each.kind)]),
            address=f"/forslag/{each.id}",
            when=formats.short_moment(each.created_at, texts.language),
            more=each.proposer_name,
        )
        for each in proposals
    ]


def open_tasks(texts: PageTexts, row: QueueRow, tasks: Sequence[OpenTask]) -> list[shapes.Todo]:
    """The open tasks about it, without those that the page itself is for."""
    return [
        shapes.Todo(
            what=texts.gettext(words.TASKS[TaskKind(each.kind)]) % {"ref": row.reference},
            address=f"/melding/{row.id}/foresporsler"
            if each.kind == TaskKind.ACCESS_ASKED
            else f"/oppgave/{each.id}",
            when=formats.short_moment(each.opened_at, texts.language),
        )
        for each in tasks
        if TaskKind(each.kind) not in _SAID_BY_THE_PAGE
    ]


def other_actions(texts: PageTexts, found: MessageView, within: Within) -> list[dict[str, str]]:
    """Links to the forms of what else may be done with it, in a fixed order."""
    _, here = texts.gettext, f"/melding/{found.row.id}"
    in_quarantine = found.row.state is MessageState.QUARANTINED
    can_be_waived = in_quarantine and is_waivable(found.row.code or "")
    offers = (
        (Action.HOLD, "vent", _("Sett på vent"), "p", found.row.held_until is None),
        (Action.HOLD, "av-vent", _("Ta av vent"), "p", found.row.held_until is not None),
        (Action.NOTE, "notat", _("Skriv notat"), "t", True),
        (Action.DUPLICATE, "duplikat", _("Duplikat av"), "", bool(found.same_as)),
        (Action.PROPOSE, "frigivelse", _("Foreslå frigivelse fra karantene"), "", can_be_waived),
        (Action.PROPOSE, "avvisning", _("Foreslå avvisning"), "", True),
        (Action.RECHECK, "kontroll", _("Kontroller på nytt"), "", in_quarantine),
        (Action.RESEND, "kvittering", _("Kvitteringen"), "", True),
        (Action.WITHDRAW, "tilbake", _("Trekk tilbake fra fagsystemet"), "", True),
    )
    return [
        {"address": within(f"{here}/{path}"), "name": name, "key": key}
        for action, path, name, key, is_offered in offers
        if is_offered and action in found.decisions and found.decisions[action].allowed
    ]

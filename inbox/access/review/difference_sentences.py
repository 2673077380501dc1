"""Says the difference of two policies as sentences, in one language.

The sentences say what the lines of the difference say, which the digest is computed over. Who
acknowledges the digest has read the same in any language: both are made from the same two folders,
whose digests open the lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inbox.access.files.folder import PolicyDraft
from inbox.access.policy.conditions import And, Condition, Name, Not, Or
from inbox.access.review.diff import ChangeKind, DecisionChange, PolicyDiff
from inbox.access.review.sentences import AccessSentences
from inbox.access.review.text_diff import WrittenChange, WrittenKind
from inbox.language import TextLanguage

_INDENT = "  "
_OLD_ROW = frozenset({WrittenKind.ROW_CHANGED, WrittenKind.ROW_DROPPED, WrittenKind.ROW_OFF})
_NEW_ROW = frozenset({WrittenKind.ROW_CHANGED, WrittenKind.ROW_ADDED, WrittenKind.ROW_ON})


def difference_sentences(
    found: PolicyDiff, old: PolicyDraft, new: PolicyDraft, language: TextLanguage
) -> Iterator[str]:
    """What the new policy changes about the old one, with the legal basis of each changed rule."""
    said = AccessSentences(vocabulary=new.vocabulary, language=language)
    yield from _Difference(found=found, old=old, new=new, said=said).lines()


@dataclass(frozen=True, kw_only=True)
class _Difference:
    found: PolicyDiff
    old: PolicyDraft
    new: PolicyDraft
    said: AccessSentences

    def lines(self) -> Iterator[str]:
        found, said = self.found, self.said
        yield said.text("difference.from", digest=found.old)
        yield said.text("difference.to", digest=found.new)
        if found.common_literals:
            yield said.text("difference.common")
            common = And(tuple(map(_literal, found.common_literals)))
            yield from said.parts(_positive_first(common))
        for change in found.changes:
            yield self._headline(change)
            yield from (f"{_INDENT}{line}" for line in said.condition(_condition_of(change)))
        if not found.changes:
            yield said.text(f"difference.{'same_other_rows' if found.rows else 'same'}")
        yield from self._rows()
        yield from map(self._written, found.written_elsewhere)

    def _headline(self, change: DecisionChange) -> str:
        key = "duties" if change.kind is ChangeKind.DUTIES else change.kind.value
        return self.said.text(
            f"difference.{key}",
            roles=self.said.roles(change.roles),
            action=self.said.name(change.action),
            old=self.said.duties(change.old_duties),
            new=self.said.duties(change.new_duties),
        )

    def _rows(self) -> Iterator[str]:
        """Each changed row: which cells are other ones, how it was, and how it is now."""
        by_row: dict[tuple[WrittenKind, str], list[WrittenChange]] = {}
        for change in self.found.written_rows:
            by_row.setdefault((change.kind, change.parts[0]), []).append(change)
        for (kind, rule_id), changes in by_row.items():
            if kind is WrittenKind.ROW_CHANGED:
                cells = ", ".join(self.said.text(f"cell.{each.parts[1]}") for each in changes)
                yield self.said.text(f"written.{kind}", rule_id, cells)
            else:
                yield self.said.text(f"written.{kind}", *changes[0].parts)
            if kind in _OLD_ROW:
                yield from self._row("old_row", self.old, rule_id)
            if kind in _NEW_ROW:
                yield from self._row("new_row", self.new, rule_id)

    def _row(self, key: str, draft: PolicyDraft, rule_id: str) -> Iterator[str]:
        """A row in full, if the folder still has it."""
        off = {rule.id for rule in draft.switched_off.values()}
        for rule in draft.rows:
            if rule.id == rule_id:
                yield _INDENT + self.said.text(f"difference.{key}")
                said = self.said.rule(rule, draft.policy.bases, is_off=rule_id in off)
                yield from (f"{_INDENT * 2}{line}" for line in said)

    def _written(self, change: WrittenChange) -> str:
        said, parts = self.said, list(change.parts)
        match change.kind:
            case WrittenKind.BASIS_ADDED:
                parts[1] = said.basis(self.new.policy.bases[parts[0]])
            case WrittenKind.BASIS_DROPPED:
                parts[1] = said.basis(self.old.policy.bases[parts[0]])
            case WrittenKind.BASIS_CHANGED:
                parts[1] = said.text(f"cell.{parts[1]}")
                parts[2:] = [said.word(part) for part in parts[2:]]
            case WrittenKind.WRITTEN_FOR:
                versions = (self.old.header.written_for, self.new.header.written_for)
                parts = [
                    said.text("vocabulary.listed")
                    if version is None
                    else said.text("vocabulary.version", version)
                    for version in versions
                ]
            case WrittenKind.OVERRIDDEN_ADDED | WrittenKind.OVERRIDDEN_DROPPED:
                parts = [said.name(parts[0])]
        return said.text(f"written.{change.kind}", *parts)


def _condition_of(change: DecisionChange) -> Condition:
    """The terms of a change as one condition."""
    terms = [_term(term) for term in change.terms]
    return terms[0] if len(terms) == 1 else Or(tuple(terms))


def _term(text: str) -> Condition:
    literals = And(tuple(map(_literal, text.split(" and "))))
    return literals.parts[0] if len(literals.parts) == 1 else And(_positive_first(literals))


def _literal(text: str) -> Condition:
    """A literal as `literal_text` writes it."""
    name = text.removeprefix("not ")
    assert " " not in name
    return Name(name) if name == text else Not(Name(name))


def _positive_first(literals: And) -> tuple[Condition, ...]:
    """What must hold before what must not: so it reads as a sentence."""
    return tuple(sorted(literals.parts, key=lambda part: isinstance(part, Not)))

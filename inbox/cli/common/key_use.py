"""Whether a key-encryption key is still needed, in one sentence for operators."""

from inbox.line.upkeep.key_rotation import KekUse


def key_use_text(use: KekUse) -> str:
    """What the key is needed for, or that it may be taken away."""
    if use.is_active:
        return f"active: it wraps what is new, and {use.data_keys} data keys"
    if use.data_keys:
        return (
            f"needed: {use.data_keys} data keys are under it; `inbox keys rotate` wraps them anew"
        )
    if use.wraps_at is not None:
        return f"needed: a worker still wraps with it, seen at {use.wraps_at:%H:%M:%S} UTC"
    if use.proves:
        return "needed: it proves that the keys are those of this database"
    return (
        "not needed: take it away from the key folder of every machine, and keep it with the copies"
        " of the database from before now"
    )

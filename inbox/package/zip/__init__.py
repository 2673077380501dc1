"""A strict reader of zip files: what two readers could understand differently is refused."""

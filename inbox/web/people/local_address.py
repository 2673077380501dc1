"""An address of ours: where a page sends people back to, and never to anybody else."""

import re
from typing import Final

_LOCAL: Final = re.compile(r"/(?![/\\])[A-Za-z0-9/._~!$&'()*+,;=:@%?-]*", re.ASCII)
_LONGEST: Final = 500
HOME: Final = "/"


def local_address(text: str) -> str:
    r"""The text if it is a path of ours, perhaps with a query; else the front page.

    A browser reads `//host`, `/\host` and a text with a tab or a line in it as another host.
    """
    if len(text) <= _LONGEST and _LOCAL.fullmatch(text):
        return text
    return HOME

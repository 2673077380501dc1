"""A package verified: a large one beside programs that only read it, a small one, a long letter."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

from inbox.message import OrgNumber, Service
from inbox.package import open_package
from inbox.package.arkivmelding import archive_message_of, grading_of, parse_arkivmelding
from inbox.package.envelope import Envelope, read_envelope
from inbox.package.terms import Expected, Limits, Trust
from inbox.simulator.arkivmelding import Letter, arkivmelding_xml
from inbox.simulator.envelopes import sbd_json
from inbox.simulator.packages import Document, Parcel, package_bytes
from inbox.trust import TrustFolder
from tests.bench.apart import apart, memory_mb, told
from tests.bench.figure import Figure, Of, Target, size_of
from tests.bench.house import authority, document_bytes, large_package
from tests.worlds import OURS, SENDER

_SLOWER = Target(at_most=1 / 0.7, of=Of.RATIO)
"""At least 70 % of the throughput of the slower of the two programs."""
_MEMORY = Target(at_most=256)
_SMALL = Target(at_most=10)
_LONG = Target(at_most=1)
_UNZIPPING = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); [sum(map(len, iter(lambda f=z.open(n): f.read(1<<18), b''))) for n in z.namelist()]"

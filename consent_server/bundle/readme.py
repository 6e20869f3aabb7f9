"""Readme: what an auditor reads who has nothing but the zip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consent_server.verification.container import describe_selection

_README = """\
CONSENT RECORDS OF {site}

This zip holds what visitors of a website answered when they were asked for consent, what they
were shown when they answered, and what shows that none of it was changed afterwards.

Made on {created_at} (UTC) by {generator}.
{counts}
{selection}

WHAT IS IN IT
  records.csv, records.jsonl   Every decision, one a row; both say the same. In CSV, a cell that
                               a spreadsheet would run begins with an apostrophe.
  versions/                    What visitors were shown: every text, in every language, and
                               every service, as it was when it was published.
  screenshots/                 How notice and preferences looked, on a telephone and a desktop,
                               when they opened; what one scrolls to is in versions/.
  scripts/                     The programs that showed them, as they were served.
  admin.jsonl                  What administrators did: published, exported, erased.
  totals.csv                   How often the notice was shown and answered, day by day.
  leaves.txt, checkpoints/     The ledger: a hash of every record, and its signed sums.
  keys.json                    The public keys for those signatures.
  manifest.json                The SHA-256 of every other file.
  verify.py                    A program of some 230 lines that checks all this.

HOW TO CHECK IT
  You need Python 3.9 or newer (https://www.python.org). Nothing is installed, nothing is sent.
  Unpack verify.py, read it, and run it on this zip:

      python3 verify.py FILE.zip

  It ends with OK, or with FAILED and the first thing that is wrong. `consent-server audit
  verify FILE.zip` checks more (CSV, witnesses, receipts) and shares no code with verify.py.

WHAT THAT SHOWS, AND WHAT IT DOES NOT
  1. Nobody without the signing key changed, removed, added or reordered a record.
  2. That the key is the right one, the zip cannot show. Ask for the key in another way than
     you got the zip, and give it: python3 verify.py FILE.zip KEY
  3. Whoever runs the server has the key, and could write everything anew and sign it. That is
     found when it is compared with something that left their hands before: a checkpoint (a
     file like those in checkpoints/, kept by you or by a witness), or the receipt that a
     visitor saved:
         consent-server audit verify FILE.zip --checkpoint OLD.txt --receipt RECEIPT.json
     Keep checkpoints/{size}.txt now: it is such evidence for the next bundle.
  4. totals.csv and the screenshots are in no signed sum: they are the operator's word. So is
     the column salt, which only links a record to the visitor who shows their own id.
{missing}
A record:
  event_id, kind, method       Which decision; what it was; how it was made.
  version, version_hash        What was shown: versions/N.json. script_hash: scripts/HASH.js.
  language                     In which language.
  grants                       The answer: every category and service, true or false.
  decided_at, received_at      By the browser's clock; by the server's.
  valid_until                  When the visitor is asked again.
  subject_commitment, salt     Whose it is, for nobody but the visitor who shows their id:
                               SHA-256(salt + SHA-256(id)). No salt: the link was erased.
  leaf_hash, leaf_index        Its hash, SHA-256(00 + canonical JSON, RFC 8785, of all other
                               fields but salt), and its place in the ledger (RFC 6962).
"""
_MISSING = """
SCREENSHOTS THAT ARE MISSING
  Nobody took these. The operator can: pip install 'consent-server[screenshots]', then
  consent-server site screenshots {site}, and export again.
{names}
"""
_WHOLE = "It is the whole ledger up to then."
_PART = """\
It is a SELECTION: {chosen}.
What was left out cannot be checked with this zip; the hash of every leaf is in its sums."""


def write_readme(manifest: dict[str, Any], missing: Sequence[str]) -> str:
    """Return the text of README.txt."""
    chosen = describe_selection(manifest["filters"])
    counts = manifest["counts"]
    names = "\n".join(f"    {name}" for name in missing)
    return _README.format(
        site=manifest["site"],
        created_at=manifest["created_at"],
        generator=manifest["generator"],
        counts=f"{counts['records']} records, {counts['admin_events']} acts of administrators; "
        f"the ledger has {counts['leaves']} leaves.",
        selection=_PART.format(chosen=chosen) if chosen else _WHOLE,
        size=manifest["checkpoint"]["size"],
        missing=_MISSING.format(site=manifest["site"], names=names) if missing else "",
    )

"""Table for the documentation: what the vendor tests assert, library by library.

Run as `python -m tests.browser.vendors.table` after a change of vendors or versions.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from .vendors import VENDORS, Vendor

_HERE = Path(__file__).parent
PAGE = _HERE.parents[2] / "docs" / "blocking-vendors.md"

_HEAD = """# Real vendor libraries

Made by `python -m tests.browser.vendors.table` from what the tests assert; do not edit.

Each library was taken from its registry, bundled as a site would, and started with made-up keys. A
library counts because it sends and stores where nobody holds it. Then it is tried in two ways:

- **declared**: `<script type="text/plain" data-consent="service:..." data-consent-src="...">`;
- **gate, strict**: inside a bundle of the site itself, the page unchanged, `blocking = "strict"`.

In both: before the decision no request leaves, also when the page goes, and nothing is stored;
after consent it sends and stores without a reload; after the withdrawal its cookies and storage are
gone, and nothing is sent, nor on the next page. Libraries marked * load their code from the vendor:
what they load is played by a stand-in.

| library | version | sends to | stores | declared | gate, strict |
|---|---|---|---|---|---|
"""

#: Loaders: the package brings a queue, the vendor the rest.
_LOADERS = {"fullstory", "logrocket", "matomo"}
_KINDS = {
    "cookie": "cookie",
    "local_storage": "localStorage",
    "session_storage": "sessionStorage",
    "indexed_db": "IndexedDB",
}


def _row(vendor: Vendor, version: str) -> str:
    mark = " *" if vendor.key in _LOADERS else ""
    stores = ", ".join(f"`{name}` ({_KINDS[kind]})" for kind, name in vendor.items) or "nothing"
    host = urlsplit(vendor.sends_to).hostname
    return f"| `{vendor.package}`{mark} | {version} | `{host}` | {stores} | yes | yes |"


def vendor_table() -> str:
    """The whole page."""
    versions = json.loads((_HERE / "package.json").read_text("utf-8"))["dependencies"]
    return _HEAD + "".join(f"{_row(vendor, versions[vendor.package])}\n" for vendor in VENDORS)


if __name__ == "__main__":
    PAGE.write_text(vendor_table(), encoding="utf-8")

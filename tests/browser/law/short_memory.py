"""Short memory: a browser that keeps what scripts store for seven days, and days that go by.

Safari caps cookies written by `document.cookie` at seven days of life and forgets what scripts
stored elsewhere after as long; what a same-site answer sets over HTTP lives as long as it says
(WebKit, Intelligent Tracking Prevention 2.1 and 2.3).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import BrowserContext

from ..visit import Visit

DAY = 86_400
CAPPED_DAYS = 7

#: The cap where Safari has it: in the setter that every script's cookie goes through.
_CAP = f"""(() => {{
  const known = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  Object.defineProperty(Document.prototype, 'cookie', {{
    ...known,
    set(cookie) {{
      const [pair, ...rest] = String(cookie).split(';');
      const ages = rest.map((one) => /^\\s*max-age=(-?\\d+)/i.exec(one)?.[1] ?? NaN);
      const age = ages.find((one) => !isNaN(one));
      const others = rest.filter((one) => !/^\\s*(max-age|expires)=/i.test(one));
      if (age === undefined && others.length !== rest.length) throw new Error('teach me expires');
      const life = age === undefined ? [] : ['max-age=' + Math.min(age, {CAPPED_DAYS * DAY})];
      known.set.call(this, [pair, ...others, ...life].join(';'));
    }},
  }});
}})()"""


def cap_script_storage(context: BrowserContext) -> None:
    """Give every page of this visitor the cap."""
    context.add_init_script(_CAP)


def days_left(visit: Visit) -> float:
    """For how long the browser will keep the decision cookie, in days."""
    cookie = _cookies(visit)[visit.site.cookie_name]
    return (float(cookie["expires"]) - time.time()) / DAY


def let_days_pass(visit: Visit, days: int) -> None:
    """Come back on that day after the first: what has run out is gone, as is scripts' storage."""
    now = datetime.now(UTC) + timedelta(days=days)
    for name, cookie in _cookies(visit).items():
        if cookie["expires"] < now.timestamp():
            visit.page.context.clear_cookies(name=name)
    if days >= CAPPED_DAYS:
        visit.page.evaluate(
            """async () => {
              localStorage.clear();
              sessionStorage.clear();
              for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
            }"""
        )
    visit.page.clock.set_system_time(now)


def _cookies(visit: Visit) -> dict[str, dict[str, Any]]:
    found: Any = visit.page.context.cookies()
    return {cookie["name"]: cookie for cookie in found}

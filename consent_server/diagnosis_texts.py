"""Texts of the diagnosis: what its panel and the console say to the owner of a site."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Mark a text for the translation catalogues; it is looked up later."""
    return text


#: Names are those that widget/src/diagnose asks for; `check_` and the like are put before a value.
DIAGNOSIS_TEXTS: Mapping[str, str] = {
    "title": _("Consent diagnosis"),
    "close": _("Close"),
    "look_again": _("Look again"),
    "copy": _("Copy"),
    "copied": _("Copied"),
    "copy_report": _("Copy the report"),
    "code": _("Text to copy"),
    "none": _("None"),
    "section_checks": _("What is wrong with the page"),
    "section_leaked": _("Leaked without consent"),
    "section_to_mark": _("What to write"),
    "section_held": _("Held now"),
    "section_released": _("Released"),
    "section_unknown": _("Known to no service"),
    "severity_error": _("Error"),
    "severity_warning": _("Warning"),
    "severity_advice": _("Advice"),
    "running": _("Site {site}, version {version}, script {script}"),
    "level_declared": _("Level: declared mark-up. Only marked elements are held."),
    "level_gate": _("Level: gate. Whatever belongs to a service of the site is held."),
    "level_strict": _("Level: strict gate. Every host that is not allowed is held."),
    "compatible": _("Mark-up that is understood, too: {products}"),
    "asked": _("The visitor is being asked."),
    "not_asked": _("The visitor has not answered, and is not being asked."),
    "decided": _("The visitor answered on {date}."),
    "granted": _("Granted: {keys}"),
    "belongs_to": _("Service: {service}, known by {pattern}"),
    "not_in_site": _("The site file does not name this service."),
    "before_decision": _("It left before the answer that holds now: it may have been granted."),
    "add_service": _("Add the service to the site file and say how long data is kept:"),
    "fix_markup": _("Write this instead, for {service}:"),
    "fix_script": _(
        "For {service}: a script asks for it. Mark that script, or let its code ask for the "
        "visitor’s choice first."
    ),
    "waits_for": _("Waits for: {terms}"),
    "waiting_call": _("A call waits for: {keys}"),
    "rule_markup": _("By the mark-up of the page."),
    "rule_gate": _("By the gate, which knows it by {because}"),
    "rule_strict": _("By the strict gate: no service of the site covers this host."),
    "rule_compatible": _("By mark-up for another consent manager: {because}"),
    "requests": _("{name} (requests: {number})"),
    "kind_request": _("Request"),
    "kind_element": _("Element"),
    "kind_noscript": _("Without scripts"),
    "kind_cookie": _("Cookie"),
    "kind_local_storage": _("Local storage"),
    "kind_session_storage": _("Session storage"),
    "kind_indexed_db": _("Database"),
    "kind_cache_storage": _("Cache"),
    "check_tag_missing": _("No tag in the page loads {tag}."),
    "check_tag_twice": _("The tag stands in the page more than once. Leave one."),
    "check_tag_waits": _("The page waits for the tag without need: add async."),
    "check_tag_late": _(
        "The gate comes too late: the tag is async, deferred, a module or added by a script. "
        "Write it into the page without these."
    ),
    "check_tag_not_first": _(
        "Scripts stand before the tag, and the gate cannot hold what they do. Put the tag first."
    ),
    "check_unknown_keys": _(
        "Elements wait for keys that the site does not have, so they are never released."
    ),
    "check_held_too_late": _(
        "Elements are marked, but load all the same: their addresses are live."
    ),
    "check_open_template": _(
        "Firefox loads addresses inside templates. Write them with data-consent- before the name."
    ),
    "check_nonce_missing": _(
        "The tag has a nonce, and these held scripts do not have the same one: they never run."
    ),
    "check_foreign_markup": _(
        "Mark-up for {product} is not understood here. Name the product in the site file."
    ),
    "check_csp_connect": _(
        "The content security policy forbids to send decisions. Allow {server} in connect-src."
    ),
    "check_server_away": _(
        "The page cannot reach {server}, so decisions wait in the browser. An ad blocker, the "
        "network or the server itself may be why."
    ),
    "check_csp_blocked": _("The content security policy of the page stopped these."),
    "check_origin_unknown": _(
        "The site file does not have {origin} among its origins: decisions made here are refused."
    ),
    "check_other_manager": _("Another consent manager runs in this page. Take it out."),
    "check_cookie_domain": _(
        "This page does not lie under {domain}, so the browser does not keep the answer."
    ),
    "check_cookies_blocked": _(
        "The browser does not keep the answer: it is asked for again on every page."
    ),
    "check_unsent": _("A decision has not reached the server yet. It is sent again."),
    "check_plain_http": _("The page came over plain http: whoever is on the way can change it."),
    "check_old_script": _(
        "The page runs version {version} with another script than the one that is published now, "
        "version {published}."
    ),
    "check_some_granted": _(
        "Something is granted, so its leaks cannot be seen. Withdraw, load the page again, and "
        "look."
    ),
    "check_list_full": _(
        "The browser remembers no more than {number} requests: later ones are not in this report."
    ),
}

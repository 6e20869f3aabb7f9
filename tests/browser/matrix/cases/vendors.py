"""Snippets as vendors hand them out: a queue, a script element, the library."""

from __future__ import annotations

from ..case import Case, code, named

_ADD = "(function(d,u){var s=d.createElement('script');s.async=1;s.src=u;%s})(document,'%s');"
_FIRST = "var f=d.getElementsByTagName('script')[0];f.parentNode.insertBefore(s,f)"
_HEAD = "d.getElementsByTagName('head')[0].appendChild(s)"


def _snippet(name: str, service: str, start: str, url: str, place: str = _FIRST) -> Case:
    return code(name, start + _ADD % (place, url), service=service, ordered=False)


def _tag(name: str, service: str, url: str, then: str = "", attributes: str = "") -> Case:
    inline, held = (
        (f"<script>{then}</script>", f"<script @off>{then}</script>") if then else ("",) * 2
    )
    return Case(
        name,
        f'<script {attributes} src="{url}"></script>{inline}',
        declared=f'<script {attributes} @off data-consent-src="{url}"></script>{held}',
        service=service,
    )


_GTAG = "https://www.googletagmanager.com/gtag/js?id=G-DEMO"
_DATA_LAYER = "window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());gtag('config','G-DEMO');"

CASES = named(
    "vendor snippets",
    Case(
        "google-analytics",
        f'<script async src="{_GTAG}"></script><script>{_DATA_LAYER}</script>',
        declared=f'<script async @off data-consent-src="{_GTAG}"></script><script @off>{_DATA_LAYER}</script>',
    ),
    _snippet(
        "google-tag-manager",
        "google-tag-manager",
        "window.dataLayer=window.dataLayer||[];dataLayer.push({'gtm.start':Date.now(),event:'gtm.js'});",
        "https://www.googletagmanager.com/gtm.js?id=GTM-DEMO",
    ),
    _snippet(
        "meta-pixel",
        "meta-pixel",
        "window.fbq=window.fbq||function(){fbq.queue.push(arguments)};fbq.queue=fbq.queue||[];fbq('init','1');fbq('track','PageView');",
        "https://connect.facebook.net/en_US/fbevents.js",
    ),
    _snippet(
        "hotjar",
        "hotjar",
        "window.hj=window.hj||function(){(hj.q=hj.q||[]).push(arguments)};window._hjSettings={hjid:1,hjsv:6};",
        "https://static.hotjar.com/c/hotjar-1.js?sv=6",
        _HEAD,
    ),
    _snippet(
        "linkedin-insight",
        "linkedin-insight",
        "window._linkedin_data_partner_ids=['1'];",
        "https://snap.licdn.com/li.lms-analytics/insight.min.js",
    ),
    _snippet(
        "microsoft-clarity",
        "microsoft-clarity",
        "window.clarity=window.clarity||function(){(clarity.q=clarity.q||[]).push(arguments)};",
        "https://www.clarity.ms/tag/demo",
    ),
    _snippet(
        "mailchimp", "mailchimp", "", "https://chimpstatic.com/mcjs-connected/js/users/1/2.js"
    ),
    code(
        "intercom-on-load",
        "window.intercomSettings={app_id:'demo'};window.Intercom=window.Intercom||function(){};"
        "var go=function(){" + _ADD % (_FIRST, "https://widget.intercom.io/widget/demo") + "};"
        "if(document.readyState==='complete')go();else addEventListener('load',go)",
        service="intercom",
    ),
    _snippet(
        "datadog-async",
        "datadog-rum",
        "window.DD_RUM=window.DD_RUM||{q:[],onReady:function(c){DD_RUM.q.push(c)}};DD_RUM.onReady(function(){});",
        "https://www.datadoghq-browser-agent.com/us1/v6/datadog-rum.js",
    ),
    _tag(
        "hubspot",
        "hubspot",
        "https://js.hs-scripts.com/1.js",
        attributes="async defer id=hs-script-loader",
    ),
    _tag(
        "sentry-loader",
        "sentry",
        "https://js.sentry-cdn.com/demo.min.js",
        "Sentry.onLoad(function(){});mark('sentry')",
    ),
    _tag(
        "logrocket",
        "logrocket",
        "https://cdn.logrocket.io/LogRocket.min.js",
        "LogRocket.init('demo/app');mark('logrocket')",
    ),
    _tag("new-relic", "new-relic-browser", "https://js-agent.newrelic.com/nr-loader-spa.min.js"),
    _tag(
        "twilio-flex",
        "twilio-flex",
        "https://media.twiliocdn.com/sdk/js/webchat-v3/releases/3/webchat.min.js",
        "Twilio.initWebchat({});mark('twilio')",
    ),
    _tag("smilee-chat", "smilee-chat", "https://saas.smilee.io/assets/javascripts/cobrowse.js"),
    _tag(
        "getjenny-chat",
        "getjenny-chat",
        "https://widget-demo.getjenny.com/static/js/main.js",
        attributes="defer",
    ),
    _tag(
        "google-maps",
        "google-maps",
        "https://maps.googleapis.com/maps/api/js?key=demo&callback=mapReady",
        attributes="async",
    ),
    _snippet("youtube-player", "youtube", "", "https://www.youtube.com/iframe_api"),
    Case(
        "vimeo-player",
        '<iframe title="Film" width="400" height="200" src="https://player.vimeo.com/video/1"></iframe>'
        '<script src="https://player.vimeo.com/api/player.js"></script>',
        declared='<iframe @held title="Film" width="400" height="200" data-consent-src="https://player.vimeo.com/video/1"></iframe>'
        '<script @off data-consent-src="https://player.vimeo.com/api/player.js"></script>',
        service="vimeo",
        ordered=False,
    ),
    code(
        "meta-pixel-image",
        "new Image().src='https://www.facebook.com/tr?id=1&ev=PageView&noscript=1'",
        service="meta-pixel",
    ),
)

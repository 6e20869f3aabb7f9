"""Vendors: the snippet that each publishes, and a loopback fake that keeps what it is told."""

# ruff: noqa: E501 (lines of the vendors' own)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: The fake's first line: keeps each call across pages of the tab.
_RECORD = """
const record = (...call) => {
  const all = JSON.parse(sessionStorage.heard || '[]');
  all.push(call);
  sessionStorage.heard = JSON.stringify(all);
};
"""
DENIED, GRANTED = {"ad_storage": "denied"}, {"ad_storage": "granted"}
_CLARITY_DENIED = {"ad_Storage": "denied", "analytics_Storage": "denied"}
_CLARITY_GRANTED = {"ad_Storage": "granted", "analytics_Storage": "granted"}
_HUBSPOT_GRANT = {"analytics": True, "advertisement": True, "functionality": True}


@dataclass(frozen=True)
class Vendor:
    """One service as a site embeds it; calls as its own library hears them, in order."""

    key: str
    #: The code of the vendor's tag; an address is a script of its own.
    snippet: str
    #: URL prefix of its library, and the fake that stands in for it.
    library: str
    fake: str
    #: What it hears once allowed, when withdrawn, and when allowed again in that page.
    granted: list[list[Any]]
    revoked: list[list[Any]] = field(default_factory=list)
    again: list[list[Any]] = field(default_factory=list)
    #: Whether the withdrawal stops it, so that the page stays.
    stops: bool = False

    def __repr__(self) -> str:
        return self.key

    @property
    def script(self) -> str:
        """What the stand-in answers for the library."""
        return "{" + _RECORD + self.fake + "}"


VENDORS = (
    Vendor(
        key="meta-pixel",
        snippet="""!function(f,b,e,v,n,t,s)
{if(f.fbq)return;n=f.fbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};
if(!f._fbq)f._fbq=n;n.push=n;n.loaded=!0;n.version='2.0';
n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];
s.parentNode.insertBefore(t,s)}(window, document,'script',
'https://connect.facebook.net/en_US/fbevents.js');
fbq('init', '123');
fbq('track', 'PageView');""",
        library="https://connect.facebook.net/en_US/fbevents.js",
        fake="fbq.callMethod = record; for (const call of fbq.queue.splice(0)) record(...call);",
        granted=[
            ["consent", "revoke"],
            ["consent", "grant"],
            ["init", "123"],
            ["track", "PageView"],
        ],
        revoked=[["consent", "revoke"]],
        again=[["consent", "grant"]],
        stops=True,
    ),
    Vendor(
        key="microsoft-uet",
        snippet="""(function(w,d,t,r,u){var f,n,i;w[u]=w[u]||[],f=function(){var o={ti:"123",
enableAutoSpaTracking:true};o.q=w[u],w[u]=new UET(o),w[u].push("pageLoad")},n=d.createElement(t),n.src=r,
n.async=1,n.onload=n.onreadystatechange=function(){var s=this.readyState;s&&s!=="loaded"&&s!=="complete"||
(f(),n.onload=n.onreadystatechange=null)},i=d.getElementsByTagName(t)[0],i.parentNode.insertBefore(n,i)})
(window,document,"script","https://bat.bing.com/bat.js","uetq");""",
        library="https://bat.bing.com/bat.js",
        fake="window.UET = function (o) { record(...o.q); this.push = record; };",
        granted=[["consent", "default", DENIED, "consent", "update", GRANTED], ["pageLoad"]],
        revoked=[["consent", "update", DENIED]],
    ),
    Vendor(
        key="microsoft-clarity",
        snippet="""(function(c,l,a,r,i,t,y){
c[a]=c[a]||function(){(c[a].q=c[a].q||[]).push(arguments)};
t=l.createElement(r);t.async=1;t.src="https://www.clarity.ms/tag/"+i;
y=l.getElementsByTagName(r)[0];y.parentNode.insertBefore(t,y);
})(window, document, "clarity", "script", "123");""",
        library="https://www.clarity.ms/tag/123",
        fake="const { q = [] } = clarity; window.clarity = record; for (const one of q) record(...one);",
        granted=[["consentv2", _CLARITY_DENIED], ["consentv2", _CLARITY_GRANTED]],
        revoked=[["consentv2", _CLARITY_DENIED]],
    ),
    Vendor(
        key="tiktok-pixel",
        snippet="""!function (w, d, t) {
w.TiktokAnalyticsObject=t;var ttq=w[t]=w[t]||[];ttq.methods=["page","track","identify","instances","debug",
"on","off","once","ready","alias","group","enableCookie","disableCookie","holdConsent","revokeConsent",
"grantConsent"],ttq.setAndDefer=function(t,e){t[e]=function(){
t.push([e].concat(Array.prototype.slice.call(arguments,0)))}};
for(var i=0;i<ttq.methods.length;i++)ttq.setAndDefer(ttq,ttq.methods[i]);
ttq.load=function(e,n){var r="https://analytics.tiktok.com/i18n/pixel/events.js";
ttq._i=ttq._i||{},ttq._i[e]=[],ttq._i[e]._u=r,ttq._t=ttq._t||{},ttq._t[e]=+new Date,ttq._o=ttq._o||{},
ttq._o[e]=n||{};n=d.createElement("script");n.type="text/javascript",n.async=!0,
n.src=r+"?sdkid="+e+"&lib="+t;e=d.getElementsByTagName("script")[0];e.parentNode.insertBefore(n,e)};
ttq.load('C123');
ttq.page();
}(window, document, 'ttq');""",
        library="https://analytics.tiktok.com/i18n/pixel/events.js",
        fake="""for (const call of ttq.splice(0)) record(...call);
for (const name of ttq.methods) ttq[name] = (...args) => record(name, ...args);""",
        granted=[["holdConsent"], ["grantConsent"], ["page"]],
        revoked=[["revokeConsent"]],
        again=[["grantConsent"]],
        stops=True,
    ),
    Vendor(
        key="matomo",
        snippet="""var _paq = window._paq = window._paq || [];
_paq.push(['trackPageView']);
(function() {
  var u="https://shop.matomo.cloud/";
  _paq.push(['setSiteId', '1']);
  var d=document, g=d.createElement('script'), s=d.getElementsByTagName('script')[0];
  g.async=true; g.src=u+'matomo.js'; s.parentNode.insertBefore(g,s);
})();""",
        library="https://shop.matomo.cloud/matomo.js",
        fake="for (const call of _paq.splice(0)) record(...call); _paq.push = (call) => record(...call);",
        granted=[["requireConsent"], ["setConsentGiven"], ["trackPageView"], ["setSiteId", "1"]],
        revoked=[["forgetConsentGiven"]],
        again=[["setConsentGiven"]],
        stops=True,
    ),
    Vendor(
        key="hubspot",
        snippet="https://js.hs-scripts.com/123.js",
        library="https://js.hs-scripts.com/123.js",
        fake="""for (const name of ['_hsq', '_hsp']) {
  const queue = (window[name] ??= []);
  for (const call of queue.splice(0)) record(name, ...call);
  queue.push = (call) => record(name, ...call);
}""",
        granted=[
            ["_hsq", "doNotTrack", {"track": True}],
            ["_hsp", "setHubSpotConsent", _HUBSPOT_GRANT],
        ],
        revoked=[["_hsp", "revokeCookieConsent"], ["_hsq", "doNotTrack"]],
    ),
    Vendor(
        key="intercom",
        snippet="""window.intercomSettings = { app_id: "abc" };
(function(){var w=window;var ic=w.Intercom;if(typeof ic==="function"){ic('update',w.intercomSettings);}
else{var d=document;var i=function(){i.c(arguments);};i.q=[];i.c=function(args){i.q.push(args);};
w.Intercom=i;var l=function(){var s=d.createElement('script');s.type='text/javascript';s.async=true;
s.src='https://widget.intercom.io/widget/abc';var x=d.getElementsByTagName('script')[0];
x.parentNode.insertBefore(s,x);};if(document.readyState==='complete'){l();}
else if(w.attachEvent){w.attachEvent('onload',l);}else{w.addEventListener('load',l,false);}}})();""",
        library="https://widget.intercom.io/widget/abc",
        fake="""for (const call of Intercom.q) record(...call);
window.Intercom = record; record('starts by itself');""",
        granted=[["starts by itself"]],
        revoked=[["shutdown"]],
        again=[["boot", {"app_id": "abc"}]],
        stops=True,
    ),
    Vendor(
        key="datadog-rum",
        snippet="""(function(h,o,u,n,d) {
h=h[d]=h[d]||{q:[],onReady:function(c){h.q.push(c)}}
d=o.createElement(u);d.async=1;d.src=n
n=o.getElementsByTagName(u)[0];n.parentNode.insertBefore(d,n)
})(window,document,'script','https://www.datadoghq-browser-agent.com/eu1/v6/datadog-rum.js','DD_RUM')
window.DD_RUM.onReady(function() { window.DD_RUM.init({ applicationId: '1' }); })""",
        library="https://www.datadoghq-browser-agent.com/eu1/v6/datadog-rum.js",
        fake="""const { q } = DD_RUM;
window.DD_RUM = Object.fromEntries(
  ['init', 'setTrackingConsent'].map((name) => [name, (...args) => record(name, ...args)]));
for (const ready of q) ready();""",
        granted=[["init", {"applicationId": "1"}], ["setTrackingConsent", "granted"]],
        revoked=[["setTrackingConsent", "not-granted"]],
        again=[["setTrackingConsent", "granted"]],
        stops=True,
    ),
    Vendor(
        key="new-relic-browser",
        snippet="https://js-agent.newrelic.com/nr-loader-spa-1.303.0.min.js",
        library="https://js-agent.newrelic.com/nr-loader-spa-1.303.0.min.js",
        fake="window.newrelic = { consent: (is) => record('consent', is) }; record('runs');",
        granted=[["runs"]],
        revoked=[["consent", False]],
    ),
)


def _silent(key: str, address: str) -> Vendor:
    """One that cannot be told: it loads once it is allowed, and a withdrawal loads the page again."""
    return Vendor(key, address, address, "record('runs');", [["runs"]])


#: Held until allowed, and nothing else.
SILENT = (
    _silent("linkedin-insight", "https://snap.licdn.com/li.lms-analytics/insight.min.js"),
    _silent("mailchimp", "https://chimpstatic.com/mcjs-connected/js/users/1.js"),
    _silent("smilee-chat", "https://saas.smilee.io/assets/javascripts/cobrowse.js"),
    _silent("getjenny-chat", "https://abc.getjenny.com/static/js/main.js"),
    _silent("twilio-flex", "https://media.twiliocdn.com/sdk/js/webchat.min.js"),
    _silent("hotjar", "https://static.hotjar.com/c/hotjar-1.js"),
    _silent("logrocket", "https://cdn.logrocket.io/LogRocket.min.js"),
)

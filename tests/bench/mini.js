// A notice as somebody writes it by hand for one page, and nothing else: it asks, keeps the choice in a
// cookie and releases marked tags. No record, no other languages, no way back: a lower bound to measure by.
(function () {
  var categories = {
    functional: ["Functional", "Chats, maps, videos and other added features.", ["Smilee chat"]],
    analytics: ["Analytics", "Measures how the site is used.", ["Google Analytics"]],
    marketing: ["Marketing", "Follows your visits to show you targeted advertising.", ["Mailchimp", "LinkedIn", "Meta"]],
  };
  var css =
    ".notice,dialog{font:1em/1.5 system-ui,sans-serif;color:#14213a;background:#fff;border:1px solid #8886;" +
    "border-radius:12px;padding:20px}.notice{position:fixed;left:16px;bottom:16px;max-width:420px;" +
    "box-shadow:0 4px 24px #0004}h2{font-size:1.25em}button{min-height:44px;padding:8px 12px;font:inherit;" +
    "border-radius:12px;border:1px solid #8886}.main{background:#14509b;color:#fff}" +
    "label{display:flex;justify-content:space-between}";
  var root, notice, dialog;

  function make(name, text, parent) {
    var made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function button(text, action, parent, kind) {
    var made = make("button", text, parent);
    made.dataset.consentAction = action;
    made.className = kind || "";
    made.onclick = actions[action];
    return made;
  }

  function release(grants) {
    document.querySelectorAll("script[data-category]").forEach(function (held) {
      if (!grants[held.dataset.category]) return;
      var script = document.createElement("script");
      script.src = held.dataset.src;
      held.replaceWith(script);
    });
  }

  function decide(isGranted) {
    var grants = {};
    for (var key in categories) grants[key] = isGranted(key);
    document.cookie = "choice=" + encodeURIComponent(JSON.stringify(grants)) + ";max-age=15552000;path=/;samesite=lax";
    if (dialog) dialog.remove();
    dialog = undefined;
    notice.remove();
    release(grants);
  }

  var actions = {
    accept_all: function () {
      decide(function () { return true; });
    },
    reject_all: function () {
      decide(function () { return false; });
    },
    save: function () {
      decide(function (key) { return root.getElementById("on-" + key).checked; });
    },
    settings: function () {
      dialog = make("dialog", "", root);
      make("h2", "Cookie settings", dialog);
      for (var key in categories) {
        var label = make("label", categories[key][0], dialog);
        var box = make("input", "", label);
        box.type = "checkbox";
        box.id = "on-" + key;
        make("p", categories[key][1], dialog);
        make("p", categories[key][2].join(", "), dialog);
      }
      button("Accept all", "accept_all", dialog, "main");
      button("Reject all", "reject_all", dialog, "main");
      button("Save my choices", "save", dialog);
      dialog.showModal();
    },
  };

  function ask() {
    var host = document.createElement("consent-notice");
    root = host.attachShadow({ mode: "open" });
    make("style", css, root);
    notice = make("section", "", root);
    notice.className = "notice";
    notice.setAttribute("role", "dialog");
    make("h2", "May we use cookies beyond what is necessary?", notice);
    make("p", "Shop Oy asks to use cookies and similar techniques.", notice);
    button("Accept all", "accept_all", notice, "main");
    button("Reject all", "reject_all", notice, "main");
    button("Settings", "settings", notice);
    document.body.prepend(host);
  }

  var known = /(?:^|; )choice=([^;]+)/.exec(document.cookie);
  function start() {
    if (known) release(JSON.parse(decodeURIComponent(known[1])));
    else ask();
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();

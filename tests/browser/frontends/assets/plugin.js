window.plugged = "plugged by " + (document.currentScript ? "a tag" : "text");

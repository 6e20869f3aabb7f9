document.getElementById("written").dataset.after = "yes";

// Small helpers of the site; every page works without them.
"use strict";

const OPEN = "details.menu[open], details.menu-small[open], details.as-of[open]";

// A menu that is open closes when one leaves it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll(OPEN)) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  }
});

// Where the values that count came from is printed too.
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details.provenance")) one.open = true;
});

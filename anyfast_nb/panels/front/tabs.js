// A row of tabs. Arrow keys move along it, Enter and the space bar open: opening may build a panel.

function render({ model, el }) {
  el.classList.add("anyfast-tabs");
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  el.append(list);
  const tabs = () => [...list.children];
  const draw = () => {
    list.setAttribute("aria-label", model.get("label"));
    const names = model.get("names");
    if (tabs().map((tab) => tab.dataset.tab).join() !== names.map(([name]) => name).join()) list.replaceChildren(...names.map(([name]) => tab(name)));
    names.forEach(([, word], at) => (tabs()[at].textContent = word));
    mark();
  };
  const tab = (name) => {
    const made = document.createElement("button");
    made.type = "button";
    made.dataset.tab = name;
    made.setAttribute("role", "tab");
    return made;
  };
  const mark = () => {
    for (const one of tabs()) {
      const chosen = one.dataset.tab === model.get("chosen");
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
    }
    body();
  };
  // The panel below is a widget of its own: it is told whose panel it is once both are on the page.
  const body = (tries = 0) => {
    const below = el.closest(".anyfast-deck")?.querySelector(":scope > .anyfast-deck-body");
    if (!below) return void (tries < 60 && requestAnimationFrame(() => body(tries + 1)));
    below.setAttribute("role", "tabpanel");
    below.setAttribute("aria-label", tabs().find((one) => one.tabIndex === 0)?.textContent ?? "");
  };
  list.addEventListener("click", (event) => {
    const chosen = event.target.closest("[role=tab]");
    if (!chosen) return;
    model.set("chosen", chosen.dataset.tab);
    model.save_changes();
  });
  list.addEventListener("keydown", (event) => {
    const every = tabs();
    const at = every.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: every.length - 1 }[event.key];
    if (event.key !== "Tab" && event.key !== "Escape") event.stopPropagation(); // none of these is a shortcut of the page
    if (to === undefined || at < 0) return;
    event.preventDefault();
    every[(to + every.length) % every.length].focus();
  });
  model.on("change:chosen", mark);
  model.on("change:names change:label", draw);
  draw();
  return () => {
    model.off("change:chosen", mark);
    model.off("change:names change:label", draw);
  };
}

export default { render };

// A board: pieces of HTML drawn by Python, buttons a person presses, pictures and films by chunks.
//
// What is on it is never in the widget's state, so nothing of it is saved with the notebook. Python
// keeps it, and draws all of it again for a page that asks (after a reload). The HTML is escaped and
// checked where it is made; here it is only put in its place.

const boards = new Map();
const page = Math.random().toString(36).slice(2); // several pages hear one kernel: who asked is answered
const MATHS = /<span>(?:\$|\\[([])/;
const REST_MS = 350; // a piece that is drawn again and again is typeset when it rests
const MOST_MEDIA = 60;

function boardOf(model) {
  const name = model.get("_name");
  if (!boards.has(name)) boards.set(name, { pieces: new Map(), views: new Set(), media: new Map() });
  return boards.get(name);
}

function initialize({ model }) {
  const board = boardOf(model);
  const hear = (message, buffers) => heard(board, model, message, buffers ?? []);
  model.on("msg:custom", hear);
  model.send({ kind: "hello" });
  return () => {
    model.off("msg:custom", hear);
    for (const medium of board.media.values()) if (medium.url) URL.revokeObjectURL(medium.url);
    boards.delete(model.get("_name"));
  };
}

function render({ model, el }) {
  const board = boardOf(model);
  el.classList.add("anyfast-board");
  const list = document.createElement("div");
  list.className = "anyfast-pieces";
  list.setAttribute("role", model.get("role") || "group");
  list.setAttribute("aria-label", model.get("label"));
  list.setAttribute("aria-live", "off"); // a log would read out every word that streams
  const status = document.createElement("div");
  status.className = "anyfast-unseen";
  status.setAttribute("role", "status");
  el.append(list, status);
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => wanted(board, model, entry.target)),
    { root: null, rootMargin: "300px" },
  );
  const view = { list, status, near, nodes: new Map(), resting: new Map(), held: null, pinned: true, model };
  const fit = () => {
    const height = model.get("height");
    list.style.setProperty("max-height", height || "none");
    if (height) list.tabIndex = 0; // it scrolls: a keyboard must reach it
    else list.removeAttribute("tabindex");
  };
  fit();
  model.on("change:height", fit);
  board.views.add(view);
  for (const [id, piece] of board.pieces) put(view, id, piece.html, null, board);
  list.addEventListener("scroll", () => (view.pinned = atEnd(list)), { passive: true });
  list.addEventListener("click", (event) => pressed(event, view, model));
  list.addEventListener("pointerdown", (event) => hold(event.target, view, board));
  list.addEventListener("keydown", (event) => event.key === " " && hold(event.target, view, board));
  const seen = new ResizeObserver(() => keepEnd(model, view)); // it had no height, or its contents grew
  seen.observe(list);
  keepEnd(model, view);
  return () => {
    near.disconnect();
    seen.disconnect();
    for (const timer of view.resting.values()) clearTimeout(timer);
    model.off("change:height", fit);
    board.views.delete(view);
  };
}

function heard(board, model, message, buffers) {
  switch (message.kind) {
    case "put":
      each(board, model, message.pieces);
      (message.gone ?? []).forEach((id) => remove(board, id));
      return settled(board, model);
    case "remove":
      message.ids.forEach((id) => remove(board, id));
      return settled(board, model);
    case "whole": // all there is follows, for a page that asked or in place of what was there
      return only(board, message.ids);
    case "end":
      board.views.forEach((view) => (view.pinned = true));
      return settled(board, model);
    case "say":
      return board.views.forEach((view) => (view.status.textContent = message.text));
    case "medium":
      return take(board, model, message, buffers[0]);
    case "clip":
      if (message.page === page) copy(board, message);
  }
}

// --- pieces ------------------------------------------------------------------------------------

function each(board, model, pieces) {
  for (const { id, html, after } of pieces) {
    if (board.pieces.get(id)?.html === html) continue;
    place(board.pieces, id, { html }, after);
    for (const view of board.views) put(view, id, html, after, board);
  }
}

function settled(board, model) {
  for (const view of board.views) keepEnd(model, view);
  if (board.media.size > MOST_MEDIA) forget(board);
}

function keepEnd(model, view) {
  if (model.get("follows") && view.pinned) view.list.scrollTop = view.list.scrollHeight;
}

// Keep what stays; all goes if what stays is in another order.
function only(board, ids) {
  const wanted = new Set(ids);
  for (const id of [...board.pieces.keys()]) if (!wanted.has(id)) remove(board, id);
  const stays = ids.filter((id) => board.pieces.has(id));
  if ([...board.pieces.keys()].some((id, at) => id !== stays[at])) for (const id of stays) remove(board, id);
  for (const view of board.views) view.pinned ||= board.pieces.size === 0;
}

// A new piece goes behind the one named, in front of all for "", at the end for nothing.
function place(pieces, id, piece, after) {
  if (pieces.has(id) || after === undefined || after === null) return pieces.set(id, piece);
  const order = [...pieces];
  pieces.clear();
  if (after === "") pieces.set(id, piece);
  for (const [key, old] of order) {
    pieces.set(key, old);
    if (key === after) pieces.set(id, piece);
  }
  if (!pieces.has(id)) pieces.set(id, piece);
}

function put(view, id, html, after, board) {
  let node = view.nodes.get(id);
  if (node && view.held?.id === id) return void (view.held.late = true);
  if (!node) {
    node = document.createElement("div");
    node.dataset.piece = id;
    view.nodes.set(id, node);
    const before = after === "" ? view.list.firstChild : after ? view.nodes.get(after)?.nextSibling : null;
    view.list.insertBefore(node, before ?? null);
  }
  const focused = focusIn(node);
  const panes = [...node.querySelectorAll("details")];
  const touched = panes.map((pane) => (pane.dataset.touched ? pane.open : null));
  node.innerHTML = html;
  node.querySelectorAll("details").forEach((pane, at) => {
    if (touched[at] === undefined || touched[at] === null) return;
    pane.open = touched[at]; // what a person opened or closed stays so
    pane.dataset.touched = "yes";
  });
  if (focused) node.querySelector(focused)?.focus({ preventScroll: true });
  for (const element of node.querySelectorAll("[data-medium]")) {
    const known = board.media.get(element.dataset.medium);
    if (known?.url) element.src = known.url;
    else view.near.observe(element);
  }
  if (MATHS.test(html)) typesetAtRest(view, id, node);
}

// A selector for what has the focus in a node, so that its successor gets it.
function focusIn(node) {
  const active = node.contains(document.activeElement) ? document.activeElement : null;
  if (!active || active === node) return "";
  for (const name of ["act", "copy", "medium"])
    if (active.dataset[name] !== undefined) return `[data-${name}="${CSS.escape(active.dataset[name])}"]`;
  return active.tagName === "SUMMARY" ? "summary" : "";
}

function remove(board, id) {
  board.pieces.delete(id);
  for (const view of board.views) {
    clearTimeout(view.resting.get(id));
    view.resting.delete(id);
    view.nodes.get(id)?.remove();
    view.nodes.delete(id);
  }
}

const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 48;

// Where the page offers its typesetter for outputs, maths is typeset as in an output; elsewhere its TeX is shown.
function typesetAtRest(view, id, node) {
  const typesetter = view.model.widget_manager?.rendermime?.latexTypesetter;
  if (!typesetter) return;
  clearTimeout(view.resting.get(id));
  view.resting.set(
    id,
    setTimeout(() => {
      view.resting.delete(id);
      try {
        Promise.resolve(typesetter.typeset(node)).then(() => keepEnd(view.model, view), () => {});
      } catch {
        // its TeX stays
      }
    }, REST_MS),
  );
}

// --- what a person does ------------------------------------------------------------------------

// A button that is drawn anew between press and release gets no click: its piece waits for the release.
function hold(target, view, board) {
  const id = target.closest("button,summary,a") && target.closest("[data-piece]")?.dataset.piece;
  if (!id || view.held) return;
  const held = (view.held = { id, late: false });
  const ends = ["pointerup", "pointercancel", "keyup"];
  const release = () => {
    ends.forEach((name) => window.removeEventListener(name, release, true));
    setTimeout(() => {
      view.held = null;
      if (held.late && board.pieces.has(id)) put(view, id, board.pieces.get(id).html, null, board);
    }); // the click comes first
  };
  ends.forEach((name) => window.addEventListener(name, release, true));
}

function pressed(event, view, model) {
  const pane = event.target.closest("summary")?.parentElement;
  if (pane) pane.dataset.touched = "yes";
  const button = event.target.closest("[data-act],[data-copy]");
  if (!button || button.disabled) return;
  view.asked = button.dataset.copy;
  if (button.dataset.copy !== undefined) model.send({ kind: "copy", key: button.dataset.copy, page });
  else model.send({ kind: "act", act: button.dataset.act });
}

async function copy(board, { key, text, done, failed, close }) {
  const view = [...board.views].find((one) => one.asked === key) ?? [...board.views][0];
  if (!view) return;
  let copied = false;
  try {
    await navigator.clipboard.writeText(text);
    copied = true;
  } catch {
    copied = copiedByCommand(text);
  }
  view.status.textContent = copied ? done : failed;
  toast(view, copied ? done : failed, copied ? null : text, close);
}

function copiedByCommand(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "anyfast-unseen";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    before?.focus?.({ preventScroll: true });
  }
}

// A line that goes away by itself; with a text to select, it stays until it is closed.
function toast(view, line, text, closes) {
  view.list.parentElement.querySelector(".anyfast-toast")?.remove();
  const box = document.createElement("div");
  box.className = "anyfast-toast";
  const words = document.createElement("span");
  words.textContent = line;
  box.append(words);
  if (text === null) {
    box.setAttribute("aria-hidden", "true"); // the status says it
    setTimeout(() => box.remove(), 2500);
  } else {
    const before = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.readOnly = true;
    area.rows = 4;
    area.setAttribute("aria-label", line);
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", closes);
    const away = () => (box.remove(), before?.focus?.({ preventScroll: true }));
    close.addEventListener("click", away);
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") away();
    });
    box.append(close, area);
    queueMicrotask(() => (area.focus(), area.select()));
  }
  view.list.parentElement.append(box);
}

// --- pictures and films ------------------------------------------------------------------------

function wanted(board, model, element) {
  const key = element.dataset.medium;
  const known = board.media.get(key);
  if (known) {
    if (known.url) element.src = known.url;
    return;
  }
  board.media.set(key, { parts: [], came: 0 });
  model.send({ kind: "medium", key, from: 0 });
}

// The next chunk is asked for when this one is here: a film never floods the line.
function take(board, model, { key, offset, size, type, gone }, buffer) {
  const medium = board.media.get(key);
  if (!medium || medium.url) return;
  if (gone) return board.media.delete(key);
  if (offset !== medium.came) return; // another page's
  medium.parts.push(buffer);
  medium.came += buffer.byteLength;
  if (medium.came < size) return model.send({ kind: "medium", key, from: medium.came });
  medium.url = URL.createObjectURL(new Blob(medium.parts, { type }));
  medium.parts = [];
  for (const [view, element] of showing(board, key)) {
    element.src = medium.url;
    view.near.unobserve(element);
  }
}

const showing = (board, key) =>
  [...board.views].flatMap((view) =>
    [...view.list.querySelectorAll(`[data-medium="${CSS.escape(key)}"]`)].map((element) => [view, element]),
  );

// What no piece shows any more is let go of.
function forget(board) {
  for (const [key, medium] of board.media)
    if (medium.url && showing(board, key).length === 0) {
      URL.revokeObjectURL(medium.url);
      board.media.delete(key);
    }
}

export default { initialize, render };

// A composer: a text to write, files to add by button, drop or paste, and one button that sends or stops.
//
// Text and files are never in the widget's state. A text leaves with "submit"; a file leaves in chunks,
// the next one when Python has written the last, so that a busy kernel is never flooded and the server
// never sees a message that is too large.

const CHUNK_BYTES = 512 * 1024;
const REST_MS = 300;
const composers = new Map();

function composerOf(model) {
  const name = model.get("_name");
  if (!composers.has(name)) composers.set(name, { text: "", files: new Map(), views: new Set() });
  return composers.get(name);
}

function initialize({ model }) {
  const composer = composerOf(model);
  const hear = (message) => heard(composer, model, message);
  model.on("msg:custom", hear);
  model.send({ kind: "hello" });
  return () => {
    model.off("msg:custom", hear);
    composers.delete(model.get("_name"));
  };
}

function render({ model, el }) {
  const composer = composerOf(model);
  const words = model.get("words");
  el.classList.add("anyfast-composer");
  el.innerHTML = `
    <ul class="anyfast-chips" hidden></ul>
    <label class="anyfast-label"></label>
    <textarea spellcheck="true"></textarea>
    <div class="anyfast-row">
      <button type="button" class="anyfast-attach"></button>
      <input type="file" multiple hidden>
      <span class="anyfast-hint"></span>
      <button type="button" class="anyfast-send"></button>
    </div>
    <div class="anyfast-unseen" role="status"></div>`;
  const find = (selector) => el.querySelector(selector);
  const view = { el, chips: find("ul"), area: find("textarea"), send: find(".anyfast-send"), status: find("[role=status]") };
  const id = `anyfast-${model.get("_name")}-${Math.random().toString(36).slice(2)}`;
  view.area.id = id;
  find("label").htmlFor = id;
  find("label").textContent = words.label;
  find(".anyfast-hint").textContent = words.hint;
  view.area.placeholder = words.placeholder;
  view.area.rows = model.get("rows");
  view.area.value = composer.text;
  view.chips.setAttribute("aria-label", words.attached);
  const picker = find("input");
  const attach = find(".anyfast-attach");
  picker.accept = model.get("accept");
  picker.setAttribute("aria-label", words.attach);
  attach.textContent = words.attach;
  attach.hidden = !model.get("accept");
  composer.views.add(view);

  attach.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    add(composer, model, picker.files);
    picker.value = "";
  });
  view.area.addEventListener("input", () => {
    composer.text = view.area.value;
    for (const other of composer.views) if (other !== view) other.area.value = composer.text;
    if (model.get("tells")) rested(composer, model);
  });
  // JupyterLab must not take these keys for its own shortcuts.
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      submit(composer, model, false);
    }
  });
  view.area.addEventListener("paste", (event) => {
    const pasted = event.clipboardData;
    // A table copied from a spreadsheet is a text and a picture: the text was meant.
    if (!pasted?.files.length || pasted.getData("text/plain") || !model.get("accept")) return;
    event.preventDefault();
    event.stopPropagation();
    add(composer, model, pasted.files);
  });
  takesDrops(el, composer, model);
  view.send.addEventListener("click", () => submit(composer, model, true));
  const update = () => {
    const busy = model.get("busy");
    view.send.textContent = busy ? words.stop : words.send;
    view.send.classList.toggle("anyfast-stop", busy);
    view.send.disabled = !busy && waiting(composer);
  };
  view.update = update;
  model.on("change:busy", update);
  update();
  chips(composer, model);
  return () => {
    model.off("change:busy", update);
    composer.views.delete(view);
  };
}

// Python is told what is written when the typing rests.
function rested(composer, model) {
  clearTimeout(composer.resting);
  composer.resting = setTimeout(() => model.send({ kind: "text", text: composer.text }), REST_MS);
}

function takesDrops(el, composer, model) {
  const takes = (event) => model.get("accept") && [...(event.dataTransfer?.types ?? [])].includes("Files");
  for (const kind of ["dragenter", "dragover"])
    el.addEventListener(kind, (event) => {
      if (!takes(event)) return;
      event.preventDefault();
      event.stopPropagation();
      event.dataTransfer.dropEffect = "copy";
      el.classList.add("anyfast-over");
    });
  el.addEventListener("dragleave", (event) => {
    if (!el.contains(event.relatedTarget)) el.classList.remove("anyfast-over");
  });
  el.addEventListener("drop", (event) => {
    el.classList.remove("anyfast-over");
    if (!takes(event)) return;
    event.preventDefault();
    event.stopPropagation();
    add(composer, model, event.dataTransfer.files);
  });
}

function heard(composer, model, message) {
  const file = composer.files.get(message.id);
  switch (message.kind) {
    case "go":
      return file && chunk(file, model, message.offset, () => chips(composer, model));
    case "kept":
      Object.assign(file ?? blank(composer, message), { kept: true, name: message.name, about: message.about, source: null });
      return chips(composer, model);
    case "refused":
      if (file) Object.assign(file, { refused: message.why, source: null });
      for (const view of composer.views) view.status.textContent = file ? `${file.name}: ${message.why}` : "";
      return chips(composer, model);
    case "dropped":
      composer.files.delete(message.id);
      return chips(composer, model);
    case "text":
      if (message.only_if_empty && composer.text.trim()) return;
      composer.text = message.text;
      for (const view of composer.views) {
        view.area.value = message.text;
        if (message.focus) view.area.focus();
      }
      return;
    case "whole": // what Python has, for a page that asked
      for (const kept of message.files)
        Object.assign(composer.files.get(kept.id) ?? blank(composer, kept), { kept: true, about: kept.about });
      return chips(composer, model);
  }
}

// A file that is known to Python but not to this page: added there, or before a reload.
function blank(composer, { id, name }) {
  const file = { id, name, sent: 0 };
  composer.files.set(id, file);
  return file;
}

function submit(composer, model, byButton) {
  if (model.get("busy")) {
    if (byButton) model.send({ kind: "stop" });
    return;
  }
  if (waiting(composer)) return;
  const files = [...composer.files.values()].filter((file) => file.kept).map((file) => file.id);
  model.send({ kind: "submit", text: composer.text, files });
}

const waiting = (composer) => [...composer.files.values()].some((file) => !file.kept && !file.refused);

// --- files -------------------------------------------------------------------------------------

function add(composer, model, files) {
  for (const source of files) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    composer.files.set(id, { id, name: source.name, source, sent: 0 });
    model.send({ kind: "file", id, name: source.name, size: source.size });
  }
  chips(composer, model);
}

async function chunk(file, model, offset, drawn) {
  const source = file.source;
  if (!source) return;
  let bytes;
  try {
    bytes = await source.slice(offset, offset + CHUNK_BYTES).arrayBuffer();
  } catch {
    bytes = null;
  }
  if (file.source !== source) return; // taken off meanwhile
  // It was changed or removed meanwhile, or is a folder.
  if (!bytes || bytes.byteLength === 0) return model.send({ kind: "lost", id: file.id });
  file.sent = offset / source.size;
  drawn();
  model.send({ kind: "chunk", id: file.id, offset }, undefined, [bytes]);
}

// Chips stay while a file comes, so that the focus on one of them does.
function chips(composer, model) {
  const words = model.get("words");
  for (const view of composer.views) {
    const known = new Map([...view.chips.children].map((item) => [item.dataset.file, item]));
    for (const [id, item] of known) {
      if (composer.files.has(id)) continue;
      const focused = item.contains(document.activeElement);
      item.remove();
      if (focused) view.area.focus();
    }
    for (const file of composer.files.values()) {
      const item = known.get(file.id) ?? view.chips.appendChild(chip(file, composer, model, words));
      const [name, state] = item.children;
      item.classList.toggle("anyfast-refused", Boolean(file.refused));
      name.textContent = file.name;
      name.title = file.name;
      state.textContent = file.refused ?? (file.kept ? file.about : `${Math.round(file.sent * 100)} %`);
    }
    view.chips.hidden = composer.files.size === 0;
    view.update();
  }
}

function chip(file, composer, model, words) {
  const item = document.createElement("li");
  item.className = "anyfast-chip";
  item.dataset.file = file.id;
  const off = document.createElement("button");
  off.type = "button";
  off.textContent = "×";
  off.setAttribute("aria-label", `${words.remove} ${file.name}`);
  off.addEventListener("click", () => {
    model.send({ kind: "cancel", id: file.id });
    file.source = null;
    composer.files.delete(file.id);
    chips(composer, model);
  });
  item.append(document.createElement("span"), document.createElement("small"), off);
  return item;
}

export default { initialize, render };

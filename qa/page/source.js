// A document beside the answer: shown at its highlight, searched, turned to other pages, saved, its right answer marked.
const part = (selector) => element.querySelector(`.source ${selector}`);
const shown = () => part(".text") ?? part(".sheet");
const place = () => JSON.parse(element.querySelector(".source").dataset.place);
const tab = element.closest("[role=tabpanel]") ?? document; // each tab has a document of its own

// Another view of the same place; what is shown fades until it is there.
function turn(view) {
  wait();
  trigger("open", { ...place(), view });
}

function wait() {
  element.querySelector(".source")?.setAttribute("aria-busy", "true");
}

function back() {
  const opener = tab.querySelector("button.open[aria-current]");
  (opener ?? tab.querySelector("textarea, input")).focus();
}

// A document is shown scrolled to its highlight; if it was asked for by a click, the page and the keyboard go there too.
function settle() {
  const source = element.querySelector(".source");
  if (!source) return;
  const text = part(".text");
  if (part(".find")) part(".find input").value = "";
  search();
  const highlight = part(".box.answer") ?? part(".box.quote") ?? part("mark") ?? part("#quote");
  const target = text && "at" in text.dataset ? rangeAtOffset(Number(text.dataset.at)) : highlight;
  scrollTo(target);
  if ("clicked" in source.dataset) {
    source.scrollIntoView({ block: "nearest" });
    source.focus({ preventScroll: true });
  }
}

function scrollTo(target) {
  const box = shown();
  const top = target ? target.getBoundingClientRect().top - box.getBoundingClientRect().top : -box.scrollTop;
  box.scrollTop += top - box.clientHeight / 3;
}

// Places. Those of documents count characters, the browser's strings count UTF-16 units: an emoji has two.
function characters(string) {
  let count = 0;
  for (const _ of string) count++;
  return count;
}

function rangeAtOffset(offset) {
  const text = part(".text");
  const string = text.textContent;
  let unit = 0;
  for (let left = offset - Number(text.dataset.first); left > 0 && unit < string.length; left--) {
    unit += string.codePointAt(unit) > 0xffff ? 2 : 1;
  }
  return unit < string.length ? ranges([[unit, unit + 1]])[0] : null;
}

// The ranges of places in the shown text that are in order and do not overlap.
function ranges(places) {
  const walker = document.createTreeWalker(part(".text"), NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  let before = 0;
  const point = (unit) => {
    while (before + node.length < unit) {
      before += node.length;
      node = walker.nextNode();
    }
    return [node, unit - before];
  };
  return places.map(([start, end]) => {
    const range = new Range();
    range.setStart(...point(start));
    range.setEnd(...point(end));
    return range;
  });
}

// Finding. Hits are coloured without touching the text, so that places in it stay what they are.
let hits = [];
let current = -1;

function search() {
  const words = part(".find input")?.value.trim() ?? "";
  const pattern = words.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s+");
  const found = words ? [...part(".text").textContent.matchAll(new RegExp(pattern, "giu"))] : [];
  hits = found.length ? ranges(found.map((hit) => [hit.index, hit.index + hit[0].length])) : [];
  colour("found", hits);
  go(firstInView());
}

function colour(name, found) {
  if (!CSS.highlights) return; // an older browser: each hit is still scrolled to
  const highlight = new Highlight();
  found.forEach((range) => highlight.add(range));
  CSS.highlights.set(name, highlight);
}

// The first hit that is not above what can be seen; hits stand in order.
function firstInView() {
  const top = part(".text")?.getBoundingClientRect().top;
  let [from, to] = [0, hits.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    hits[middle].getBoundingClientRect().bottom < top ? (from = middle + 1) : (to = middle);
  }
  return from;
}

function go(number) {
  const output = part(".find output");
  if (!output) return;
  current = hits.length ? (number + hits.length) % hits.length : -1;
  output.textContent = hits.length ? `${current + 1} of ${hits.length}` : part(".find input").value.trim() ? "none" : "";
  colour("here", hits.slice(current, current + 1));
  if (hits.length && !isInView(hits[current])) scrollTo(hits[current]);
}

function isInView(target) {
  const place = target.getBoundingClientRect();
  const text = part(".text").getBoundingClientRect();
  return place.top >= text.top && place.bottom <= text.bottom;
}

// A heading leads to where it stands, in the part that is shown or in another.
function open(at) {
  const text = part(".text");
  const isShown = Number(text.dataset.first) <= at && at < Number(text.dataset.last);
  isShown ? scrollTo(rangeAtOffset(at)) : turn({ at });
}

async function save() {
  const note = part(".note");
  const file = await server.original(place()).catch(() => ({ message: "The original could not be fetched. Try again." }));
  note.textContent = file.message ?? "";
  if (file.url) Object.assign(document.createElement("a"), { href: file.url, download: file.name }).click();
}

// The right answer: what is selected in the text, without the white space around it.
function selected() {
  const text = part(".text");
  const selection = getSelection();
  if (!text || selection.isCollapsed || !selection.rangeCount) return null;
  const picked = selection.getRangeAt(0);
  if (!picked.intersectsNode(text)) return null;
  const range = new Range();
  range.selectNodeContents(text);
  if (range.compareBoundaryPoints(Range.START_TO_START, picked) < 0) range.setStart(picked.startContainer, picked.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, picked) > 0) range.setEnd(picked.endContainer, picked.endOffset);
  return range.toString().trim() ? range : null;
}

function offer() {
  const button = part(".right");
  if (!button) return;
  const range = selected();
  const place = range?.getBoundingClientRect();
  const text = part(".text")?.getBoundingClientRect();
  button.hidden = !range || place.bottom < text.top || place.top > text.bottom;
  if (button.hidden) return;
  const source = button.offsetParent.getBoundingClientRect();
  const left = Math.min(place.left - source.left, source.width - button.offsetWidth - 8);
  button.style.left = `${Math.max(left, 8)}px`;
  button.style.top = `${Math.min(place.bottom - source.top + 6, source.height - button.offsetHeight - 8)}px`;
}

function mark() {
  const text = part(".text");
  const range = selected();
  if (!range) return;
  const before = new Range();
  before.setStart(text, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const words = range.toString();
  const start = Number(text.dataset.first) + characters(before.toString() + words.slice(0, words.search(/\S/)));
  const { document: name, sha256 } = place();
  trigger("mark", { document: name, sha256, start, end: start + characters(words.trim()) });
  getSelection().removeAllRanges();
}

watch("value", settle);
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.ariaDisabled === "true") return;
  if (button.matches(".back")) back();
  if (button.matches(".original")) save();
  if (button.matches(".right")) mark();
  if (button.matches(".find button")) go(current + Number(button.value));
  if (button.matches(".outline button")) part(".outline").open = false;
  if (button.matches(".outline button, .to-quote")) shown().focus({ preventScroll: true }); // they go, the keyboard stays
  if ("view" in button.dataset) turn(JSON.parse(button.dataset.view));
  if ("at" in button.dataset) open(Number(button.dataset.at));
});
element.addEventListener("input", (event) => event.target.matches(".find input") && search());
element.addEventListener("keydown", (event) => {
  const isFinding = event.target.matches(".find input");
  if (isFinding && event.key === "Enter" && !event.isComposing) go(current + (event.shiftKey ? -1 : 1));
  if (event.key === "Escape" && !(isFinding && event.target.value)) back();
});
element.addEventListener("toggle", () => part(".outline [aria-current]")?.scrollIntoView({ block: "nearest" }), true);
element.addEventListener("scroll", offer, true);
element.addEventListener("mousedown", (event) => event.target.closest(".right") && event.preventDefault());
document.addEventListener("selectionchange", offer);
tab.addEventListener("click", (event) => event.target.closest("button.open[data-place]") && wait());

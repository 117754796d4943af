// A document is shown scrolled to its highlight; if it was asked for by a click, the page and the keyboard go there too.
function settle() {
  const source = element.querySelector(".source");
  if (!source) return;
  const text = source.querySelector(".text");
  const highlight = text.querySelector("mark") ?? text.querySelector("#quote");
  text.scrollTop += highlight.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
  if ("clicked" in source.dataset) {
    source.scrollIntoView({ block: "nearest" });
    source.focus({ preventScroll: true });
  }
}

function back() {
  const opener = document.querySelector("#answer [aria-current]");
  (opener ?? document.querySelector("#question textarea")).focus();
}

watch("value", settle);
element.addEventListener("click", (event) => event.target.closest(".back") && back());
element.addEventListener("keydown", (event) => event.key === "Escape" && back());

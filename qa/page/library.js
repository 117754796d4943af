// A click in the list opens a document, sorts the list or turns its page; afterwards the keyboard is where it was.
const FOLLOWED = ["document", "column", "page"];
let clicked = null;

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const name = FOLLOWED.find((name) => button && name in button.dataset);
  if (!name) return;
  clicked = button.getAttribute("aria-label") ?? button.textContent;
  if (name === "document") {
    element.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "true");
    trigger("open", { document: button.dataset.document });
  } else {
    trigger("turn", { column: button.dataset.column, page: Number(button.dataset.page) });
  }
});

watch("value", () => {
  const again = [...element.querySelectorAll("button")].find((button) => (button.ariaLabel ?? button.textContent) === clicked);
  if (again && document.activeElement === document.body) again.focus({ preventScroll: true });
});

// A click on a citation asks for its place; the citation stays marked as the one that is open.
element.addEventListener("click", (event) => {
  const opener = event.target.closest("button.open");
  if (!opener) return;
  element.querySelector("[aria-current]")?.removeAttribute("aria-current");
  opener.setAttribute("aria-current", "true");
  trigger("open", JSON.parse(opener.dataset.place));
});

// A click on a citation asks for its place; the citation stays marked as the one that is open.
function open(opener) {
  element.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  opener.setAttribute("aria-current", "true");
  trigger("open", JSON.parse(opener.dataset.place));
}

// The clipboard is only there on this machine or over https; elsewhere the old way still copies.
async function copy(button) {
  const text = button.dataset.copy ?? new URL(button.dataset.link, location).href;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const name = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = name), 1500);
}

// What was said is said anew by another press, and taken back by the same one.
function judge(button, turn) {
  const pressed = button.getAttribute("aria-pressed") === "true";
  button.parentElement.querySelectorAll(".judge").forEach((one) => one.setAttribute("aria-pressed", "false"));
  button.setAttribute("aria-pressed", String(!pressed));
  trigger("judge", { turn, verdict: button.dataset.verdict });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const turn = Number(button?.closest("[data-turn]")?.dataset.turn);
  if (!button) return;
  if (button.matches(".open")) open(button);
  if (button.matches(".copy") && button.textContent !== "Copied") copy(button);
  if (button.matches(".alone, .respelt")) trigger("again", { turn, respelt: button.matches(".respelt") });
  if (button.matches(".judge")) judge(button, turn);
});
